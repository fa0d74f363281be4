"""What the rest of Osler sees of `efficiency`."""

from __future__ import annotations

from osler.analytics.contract import Analytic, DayRollup, DerivedTable
from osler.analytics.efficiency.rollup import recount_days, recount_weeks
from osler.analytics.efficiency.routes import router
from osler.analytics.efficiency.sessions import SessionFold
from osler.analytics.efficiency.tables import daily_user_stats, study_sessions, weekly_user_stats

ANALYTIC = Analytic(
    name="efficiency",
    question="How well is the time used: how much of it is study, when, and in sessions of what length?",
    tables=(
        DerivedTable(study_sessions),
        DerivedTable(daily_user_stats, day="local_date"),
        DerivedTable(weekly_user_stats, day="week_on"),
    ),
    router=router,
    live=SessionFold(),
    rollups=(DayRollup("daily_stats", recount_days), DayRollup("weekly_stats", recount_weeks, after=("daily_stats",))),
)
