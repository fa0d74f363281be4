"""When and how does the learner study, and what goes with it? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from osler.analytics.contract import CardState, card_fields
from osler.analytics.highlights import highlights
from osler.science.study_habits import is_study_day

VERSION = "patterns-2"
MIN_DAYS = 3
NO_HABITS: Mapping[str, Any] = {}


def answer(found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of `/study-patterns`."""
    habits: Mapping[str, Any] = found["habits"] or NO_HABITS
    metrics: Mapping[str, Any] = found["metrics"] or NO_HABITS
    week = _week(found["days"], date.fromisoformat(found["today"]))
    body = {
        "week": week,
        "consistency": {
            "active_days": metrics.get("active_days_28d", 0),
            "window_days": 28,
            "streak_days": metrics.get("streak_days", 0),
        },
        "timing": {
            "usual_hour": habits.get("usual_hour"),
            "spread_hours": habits.get("hour_spread"),
            "minutes_by_hour": habits.get("minutes_by_hour", {}),
        },
        "preferences": _preferences(habits.get("preference", {})),
        "breaks": {
            "n": habits.get("breaks", 0),
            "per_hour": habits.get("breaks_per_hour"),
            "median_minutes": habits.get("median_break_minutes"),
        },
        **{name: habits.get(name) for name in MEASURES},
        "highlights": highlights(found["insights"]),
        "insights": [
            {"insight": i["insight"], "status": i["status"], "enabled_by": i["params"].get("enabled_by")}
            for i in found["insights"]
            if not i["is_shown"]
        ],
    }
    return {**_card(found, week, habits.get("sessions", 0), habits.get("as_of")), **body}


MEASURES = ("multitasked_share", "switches_per_hour", "spacing_index", "interleaving_index", "cramming_index")


def _week(days: Sequence[Sequence[Any]], today: date) -> dict[str, Any]:
    by_day = {date.fromisoformat(day[0]): day for day in days}
    last = [today - timedelta(days=back) for back in reversed(range(7))]
    cells = [_cell(day, by_day.get(day)) for day in last]
    before = [by_day[day] for back in range(7, 35) if (day := today - timedelta(days=back)) in by_day]
    return {
        "days": cells,
        "active_days": sum(cell["is_study_day"] for cell in cells),
        "hours": sum(cell["minutes"] for cell in cells) / 60,
        "usual_hours": sum(day[1] for day in before) / 60 / 4 if before else None,
    }


def _cell(day: date, row: Sequence[Any] | None) -> dict[str, Any]:
    minutes, questions, reviews, sessions = row[1:5] if row else (0.0, 0, 0, 0)
    return {
        "day": day,
        "minutes": minutes,
        "questions": questions,
        "reviews": reviews,
        "sessions": sessions,
        "is_study_day": is_study_day(minutes, questions + reviews),
    }


def _preferences(shares: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    made = [
        {"kind": kind, "share": share, "interval": {"low": low, "high": high, "level": 0.9}}
        for kind, (share, low, high) in shares.items()
    ]
    return sorted(made, key=lambda one: (-float(one["share"]), str(one["kind"])))


def _card(found: Mapping[str, Any], week: Mapping[str, Any], sessions: int, as_of: str | None) -> dict[str, object]:
    days = len(found["days"])
    shared: dict[str, Any] = {"n": sessions, "as_of": as_of, "model_version": VERSION}
    if days == 0:
        text = "No study is counted in the last nine weeks: each day is counted in the night after it."
        return card_fields(CardState.FIRST_USE, ("patterns.first_use", text), **shared)
    usual = week["usual_hours"]
    text = f"{week['active_days']} of 7 days; {week['hours']:.1f} h"
    text += "." if usual is None else f", your usual week is {usual:.1f} h."
    state = CardState.READY if days >= MIN_DAYS else CardState.TOO_LITTLE
    params: dict[str, Any] = {"days": week["active_days"], "hours": week["hours"], "usual_hours": usual}
    return card_fields(state, ("patterns.week", text), params=params, **shared)
