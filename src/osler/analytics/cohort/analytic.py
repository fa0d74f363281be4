"""What the rest of Osler sees of `cohort`."""

from __future__ import annotations

from osler.analytics.cohort.rollup import publish_week
from osler.analytics.cohort.routes import router
from osler.analytics.contract import Analytic, Task

ANALYTIC = Analytic(
    name="cohort",
    question="Which topics do many of a class struggle with, how long does mastery take, and where is this learner?",
    router=router,
    tasks=(Task("cohort", publish_week, after=("readiness",)),),
    skips={"rerun is idempotent": "published figures are frozen: a rerun finds the week published and leaves it"},
)
