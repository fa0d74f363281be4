"""How much had a learner studied by an instant, and at what pace? Counted from a log as the nightly job counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from statistics import median
from typing import Any

from osler.analytics.efficiency.model import sessionise
from osler.analytics.efficiency.timeline import Timeline
from osler.domain.local_day import local_day
from osler.evaluate.exam_log import Event
from osler.science.sessions import RIDES_ALONG
from osler.science.study_time import US

RECENT_DAYS, PACE_DAYS = 28, 90
STUDY_DAY_SECONDS, STUDY_DAY_ANSWERS = 600.0, 10
SHORTEST_DAY_SECONDS = 60.0
ANSWERS = ("question_submit", "flashcard_review")


@dataclass(frozen=True, slots=True)
class Studied:
    """Active minutes since the first event, and the measures that a pace is made of, by the columns' names."""

    active_minutes: float
    pace: Mapping[str, Any]


def studied(events: Sequence[Event], today: date) -> Studied:
    """What these events say as of a local day. Seconds are the clock's that serves."""
    active: Counter[date] = Counter()
    total = 0.0
    for session in sessionise(_timeline(events)):
        total += session.active_seconds
        active.update(session.active_by_day)
    answers = Counter(_local_date(event) for event in events if event.type in ANSWERS)
    questions = Counter(_local_date(event) for event in events if event.type == ANSWERS[0])
    month = [today - timedelta(days=n) for n in range(RECENT_DAYS)]
    since = today - timedelta(days=PACE_DAYS)
    lengths = [active[day] / 60 for day in month if active[day] >= SHORTEST_DAY_SECONDS]
    return Studied(
        total / 60,
        {
            "median_active_minutes": median(lengths) if lengths else None,
            "active_days_28d": sum(
                active[day] >= STUDY_DAY_SECONDS or answers[day] >= STUDY_DAY_ANSWERS for day in month
            ),
            "active_seconds_90d": sum(seconds for day, seconds in sorted(active.items()) if since < day <= today),
            "questions_90d": sum(n for day, n in questions.items() if since < day <= today),
        },
    )


def _local_date(event: Event) -> date:
    return event.stored.local_date or local_day(event.occurred_at)


def _timeline(events: Sequence[Event]) -> Timeline:
    shown = [event for event in events if event.type not in RIDES_ALONG]
    at_us = [round(event.at.astimezone(UTC).timestamp() * US) for event in shown]
    n = len(shown)
    return Timeline(
        event_id=[event.id for event in shown],
        ts_us=at_us,
        at_us=at_us,
        event_type=[event.type for event in shown],
        session_id=[event.session_id for event in shown],
        device=[event.stored.device_id or "" for event in shown],
        word=[_word(event) for event in shown],
        utc_offset_minutes=[_offset(event) for event in shown],
        local_day=[int(us // (86_400 * US)) for us in at_us],
        seconds=[_seconds(event) for event in shown],
        right=[None] * n,
        item=[None] * n,
        topics=[None] * n,
    )


def _offset(event: Event) -> int:
    stated = event.occurred_at.utcoffset() or timedelta()
    concluded = event.stored.utc_offset_minutes
    return int(stated.total_seconds() // 60) if concluded is None else concluded


def _word(event: Event) -> str | None:
    name = {"session_focus": "state", "session_end": "reason"}.get(event.type, "kind")
    return event.data.get(name)


def _seconds(event: Event) -> float | None:
    if event.type == "session_heartbeat":
        return event.data.get("active_seconds") if event.data.get("visible") is not False else None
    return event.data.get("time_to_answer_seconds") if event.type in ANSWERS else None
