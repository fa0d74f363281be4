"""What the rest of Osler sees of `mastery`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DerivedTable
from osler.analytics.mastery.folding import NAME
from osler.analytics.mastery.live_fold import MasteryFold
from osler.analytics.mastery.rollup import TOPIC_STATS
from osler.analytics.mastery.routes import router
from osler.analytics.mastery.tables import material_progress, topic_daily_stats, topic_mastery

COUNTED = frozenset(
    {
        "questions_attempted", "questions_correct", "reviews", "reviews_passed", "answer_seconds", "reading_seconds",
    }
)  # fmt: skip

ANALYTIC = Analytic(
    name=NAME,
    question="What does the learner know, topic by topic, and how sure is that?",
    tables=(
        DerivedTable(topic_mastery),
        DerivedTable(topic_daily_stats, counted=COUNTED, day="local_date"),
        DerivedTable(material_progress),
    ),
    router=router,
    live=MasteryFold(),
    rollups=(TOPIC_STATS,),
)
