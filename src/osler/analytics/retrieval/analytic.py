"""What the rest of Osler sees of `retrieval`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable
from osler.analytics.retrieval.folding import NAME, RetrievalFold
from osler.analytics.retrieval.routes import router
from osler.analytics.retrieval.tables import item_memory, item_topics
from osler.analytics.states import learner_states

ANALYTIC = Analytic(
    name=NAME,
    question="How well can what was learnt be recalled now, and when is it due?",
    tables=(
        DerivedTable(learner_states, ignore=frozenset({"generation", "is_stale"})),
        DerivedTable(item_memory),
        DerivedTable(item_topics),
    ),
    router=router,
    live=RetrievalFold(),
)
