"""What the rest of Osler sees of `patterns`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable, Refresh
from osler.analytics.patterns.rollup import refresh
from osler.analytics.patterns.routes import router
from osler.analytics.patterns.tables import learner_habits, learner_insights

ANALYTIC = Analytic(
    name="patterns",
    question="When, how long and how does the learner study, and which habits go with right answers?",
    tables=(DerivedTable(learner_habits), DerivedTable(learner_insights)),
    router=router,
    refreshes=(Refresh("patterns", refresh, after=("rolling",)),),
)
