"""How much was kept, week by week, and how will it fade? Observed retention, and forgetting curves with a band."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.intervals import Interval, wilson
from osler.science.topic_strength import START_TAU, topic_strength

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HORIZON_DAYS = 180
WIDENS_OVER_DAYS = 30.0
FEWEST_A_PERIOD = 20
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """Next-day reviews of one week, or of neighbouring thin ones joined: local day numbers, counts, sum of forecasts.

    `forecasts` counts the reviews that had a forecast.
    """

    first_day: int
    last_day: int
    n: int
    passed: int
    forecast_sum: float
    forecasts: int


@dataclass(frozen=True, slots=True)
class Period:
    """Next-day reviews from `first_day` to `last_day` (local day numbers): share passed, and what was forecast."""

    first_day: int
    last_day: int
    n: int
    retention: Interval
    forecast: float | None


def weekly_retention(local_day: Ints, passed: npt.NDArray[np.bool_], forecast: Floats) -> list[Period]:
    """Retention of each week with Wilson's interval, beside the mean forecast made before.

    Weeks start at multiples of seven of the day number. One with under 20 reviews is joined with its neighbour; less
    than 20 in all stand alone, with their n. Shapes: (n,); NaN in `forecast` where none was made.
    """
    if local_day.size == 0:
        return []
    week = local_day // WEEK_DAYS
    groups = [np.flatnonzero(week == w) for w in np.unique(week).tolist()]
    return periods([_week(rows, local_day, passed, forecast) for rows in groups])


def periods(weeks: Sequence[Week]) -> list[Period]:
    """The same from weeks that are counted already, in order; only those with reviews."""
    return [_period(week) for week in _joined(weeks)]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Recall some days from now without a review, with its band."""

    day: int
    value: float
    low: float
    high: float


def forgetting_curve(
    recall_at: Callable[[int], Floats], *, days: Sequence[int] = range(HORIZON_DAYS + 1), tau: float = START_TAU
) -> list[CurvePoint]:
    """Mean recall of items on coming days without review, with a band that widens: τ(t)² = τ² (1 + t/30).

    Overdue recall is over-predicted as a rule; the band is what we do not know of the future, not of the past.

    Shapes: `recall_at(day)` gives (n,) chances; no points where n is 0.
    Source: science page, 2.10; the band's other part is `topic_strength`'s.
    """
    points: list[CurvePoint] = []
    for day in days:
        found = topic_strength(recall_at(day), tau=tau * math.sqrt(1.0 + day / WIDENS_OVER_DAYS))
        if found is not None:
            points.append(CurvePoint(day, found.value, found.low, found.high))
    return points


@dataclass(frozen=True, slots=True)
class Fading:
    """A topic as the alerts see it: its strength, its weight in the exam, and how many items are overdue."""

    topic: str
    strength: float
    exam_weight: float
    overdue: int


def alerts(topics: Sequence[Fading], desired_retention: float) -> list[Fading]:
    """Topics below the desired retention or with overdue items, most exam points at stake first.

    Ordered by w (DR - R), then by weight, then by name.
    """
    wanted = [t for t in topics if t.strength < desired_retention or t.overdue > 0]
    return sorted(wanted, key=lambda t: (-t.exam_weight * (desired_retention - t.strength), -t.exam_weight, t.topic))


def _joined(weeks: Sequence[Week]) -> list[Week]:
    """Neighbouring weeks put together until each has 20 reviews; what is left over at the end goes to the last."""
    out: list[Week] = []
    for week in weeks:
        if out and out[-1].n < FEWEST_A_PERIOD:
            out[-1] = _together(out[-1], week)
        else:
            out.append(week)
    if len(out) > 1 and out[-1].n < FEWEST_A_PERIOD:
        last = out.pop()
        out[-1] = _together(out[-1], last)
    return out


def _together(a: Week, b: Week) -> Week:
    return Week(
        a.first_day, b.last_day, a.n + b.n, a.passed + b.passed, a.forecast_sum + b.forecast_sum,
        a.forecasts + b.forecasts,
    )  # fmt: skip


def _week(rows: Ints, local_day: Ints, passed: npt.NDArray[np.bool_], forecast: Floats) -> Week:
    made = forecast[rows][np.isfinite(forecast[rows])]
    return Week(
        first_day=int(local_day[rows].min()),
        last_day=int(local_day[rows].max()),
        n=int(rows.size),
        passed=int(passed[rows].sum()),
        forecast_sum=float(made.sum()),
        forecasts=int(made.size),
    )


def _period(week: Week) -> Period:
    retention = wilson(week.passed, week.n) or Interval(0.0, 0.0, 1.0)
    forecast = week.forecast_sum / week.forecasts if week.forecasts else None
    return Period(week.first_day, week.last_day, week.n, retention, forecast)
