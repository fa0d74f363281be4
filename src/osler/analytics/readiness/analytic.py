"""What the rest of Osler sees of `readiness`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable, Refresh
from osler.analytics.readiness import projection, rollup
from osler.analytics.readiness.routes import router
from osler.analytics.readiness.tables import exam_projections, exam_snapshots, user_learning_metrics

ANALYTIC = Analytic(
    name="readiness",
    question="Would today's knowledge pass the exam, how sure is that, and when will it be enough?",
    tables=(DerivedTable(user_learning_metrics), DerivedTable(exam_projections)),
    router=router,
    frozen=(exam_snapshots,),
    refreshes=(
        Refresh("rolling", rollup.refresh, after=("gaps",)),
        Refresh("readiness", projection.refresh, after=("rolling",)),
    ),
)
