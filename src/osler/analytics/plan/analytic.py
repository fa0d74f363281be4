"""What the rest of Osler sees of `plan`."""

from __future__ import annotations

from osler.analytics.contract import Analytic
from osler.analytics.plan.routes import router

ANALYTIC = Analytic(
    name="plan",
    question="With the minutes of today, what comes next, why, and how sure is that?",
    router=router,
)
