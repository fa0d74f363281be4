"""What the rest of Osler sees of `gaps`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable, Refresh
from osler.analytics.gaps.rollup import refresh
from osler.analytics.gaps.routes import router
from osler.analytics.gaps.tables import knowledge_gaps

ANALYTIC = Analytic(
    name="gaps",
    question="What is missing, how much does each gap matter, what does closing it cost, and where to begin?",
    tables=(DerivedTable(knowledge_gaps),),
    router=router,
    refreshes=(Refresh("gaps", refresh, after=("weekly_stats",)),),
)
