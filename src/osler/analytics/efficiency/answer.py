"""How well is the time used? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osler.analytics.contract import CardState, card_fields
from osler.analytics.highlights import highlights
from osler.science.intervals import wilson
from osler.science.rates import Rate, poisson_rate
from osler.science.study_habits import efficiency, focus_score, quartiles
from osler.science.trend import theil_sen

VERSION = "efficiency-1"
MIN_SESSIONS = 3
MIN_HOUR_ANSWERS = 30
TREND_WEEKS = 8
EDGES = (0, 5, 15, 30, 45, 60, 90, 120)
HOURS_SHOWN = 3

Row = Sequence[Any]


def answer(found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of `/efficiency` from what `queries.efficiency_of` gathers."""
    days: Sequence[Row] = found["days"]
    active, total = sum(day[1] for day in days), sum(day[2] for day in days)
    share = efficiency([day[1] for day in days], [day[2] for day in days])
    sessions = sum(day[5] for day in days)
    hours = [hour_cell(*row) for row in found["hours"]]
    trend = [_week(*row) for row in found["weeks"]][-TREND_WEEKS:]
    focus = focus_score(share, sum(day[6] for day in days), active / 3600, signals=found["has_signals"])
    body = {
        "efficiency": _measure(share, sessions),
        "active_minutes": active / 60,
        "total_minutes": total / 60,
        "focus_score": _measure(focus, sessions),
        "questions_per_hour": _rate(poisson_rate(sum(day[3] for day in days), active / 3600)),
        "materials_per_hour": _rate(poisson_rate(sum(day[4] for day in days), active / 3600)),
        "session_minutes": _lengths(found["minutes"]),
        "optimal_hours": best_hours(hours),
        "lengths": [_bin(*row) for row in found["lengths"]],
        "hours": hours,
        "trend": trend,
        "trend_per_4_weeks": _slope(trend),
        "highlights": highlights(found["insights"]),
    }
    return {**_card(found, share, body), **body}


def hour_cell(weekday: int, hour: int, n: int, correct: int, minutes: float) -> dict[str, Any]:
    """One cell of the grid of weekdays and hours."""
    bounds = wilson(correct, n)
    return {
        "weekday": weekday,
        "hour": hour,
        "n": n,
        "accuracy": correct / n if n else None,
        "interval": bounds and {"low": bounds.low, "high": bounds.high, "level": 0.9},
        "active_minutes": minutes,
    }


def best_hours(hours: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The most accurate hours by the lower end of their interval, where there are answers enough to say so."""
    enough = [cell for cell in hours if cell["n"] >= MIN_HOUR_ANSWERS]
    return sorted(enough, key=lambda cell: (-cell["interval"]["low"], cell["weekday"], cell["hour"]))[:HOURS_SHOWN]


def _card(found: Mapping[str, Any], share: float | None, body: Mapping[str, Any]) -> dict[str, object]:
    n = found["sessions"]
    if n == 0:
        text = "No study session in the last 90 days: your use of time will be here after the next ones."
        state = CardState.FIRST_USE
        return card_fields(state, ("efficiency.first_use", text), n=0, as_of=found["as_of"], model_version=VERSION)
    if share is None:
        text = "No day is counted yet in the last 28: each is, in the night after it."
        return card_fields(
            CardState.FILTERED_EMPTY, ("efficiency.not_lately", text), n=n, as_of=found["as_of"], model_version=VERSION
        )
    if n < MIN_SESSIONS:
        text = f"{n} of {MIN_SESSIONS} sessions so far: too few to speak of habits."
        params = {"sessions": n, "needed": MIN_SESSIONS}
        return card_fields(
            CardState.TOO_LITTLE, ("efficiency.too_little", text), n=n, as_of=found["as_of"],
            model_version=VERSION, params=params,
        )  # fmt: skip
    change = body["trend_per_4_weeks"]["value"]
    text = f"Active {100 * share:.0f} % of the time{_moved(change)}."
    return card_fields(
        CardState.READY, ("efficiency.summary", text), n=n, as_of=found["as_of"], model_version=VERSION,
        params={"efficiency": share, "change_4_weeks": change},
    )  # fmt: skip


def _moved(change: float | None) -> str:
    """The trend in whole points, in words; nothing where there is no trend."""
    if change is None:
        return ""
    points = round(100 * abs(change))
    if points == 0:
        return ", steady over 4 weeks"
    return f", {'up' if change > 0 else 'down'} {points} point{'' if points == 1 else 's'} in 4 weeks"


def _measure(value: float | None, n: int, bounds: tuple[float, float] | None = None) -> dict[str, Any]:
    interval = None if bounds is None else {"low": bounds[0], "high": bounds[1], "level": 0.9}
    return {"value": value, "interval": interval, "n": n}


def _rate(rate: Rate | None) -> dict[str, Any]:
    return _measure(None, 0) if rate is None else _measure(rate.value, rate.count, (rate.low, rate.high))


def _lengths(minutes: Sequence[float]) -> dict[str, Any]:
    found = quartiles(minutes)
    mean = sum(minutes) / len(minutes) if minutes else None
    return {"mean": mean, "quartiles": found and list(found), "n": len(minutes)}


def _bin(index: int, sessions: int, n: int, correct: int) -> dict[str, Any]:
    return {
        "from_minutes": EDGES[index],
        "to_minutes": EDGES[index + 1] if index + 1 < len(EDGES) else None,
        "sessions": sessions,
        "accuracy": correct / n if n else None,
        "n": n,
    }


def _week(week_on: str, active: float, total: float, sessions: int) -> dict[str, Any]:
    return {
        "week_on": week_on,
        "active_minutes": active / 60,
        "total_minutes": total / 60,
        "efficiency": min(1.0, active / total) if total > 0 else None,
        "n": sessions,
    }


def _slope(trend: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = [(week, point["efficiency"]) for week, point in enumerate(trend) if point["efficiency"] is not None]
    slope = theil_sen([x for x, _ in known], [y for _, y in known])
    if slope is None:
        return _measure(None, len(known))
    return _measure(4 * slope.value, slope.n, (4 * slope.low, 4 * slope.high))
