"""What the rest of Osler sees of `plan`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable, Refresh
from osler.analytics.plan import rollup
from osler.analytics.plan.routes import router
from osler.analytics.plan.tables import study_plans

ANALYTIC = Analytic(
    name="plan",
    question="With the minutes of today, what comes next, why, and how sure is that?",
    tables=(DerivedTable(study_plans),),
    router=router,
    refreshes=(Refresh("plan", rollup.refresh, after=("readiness",)),),
)
