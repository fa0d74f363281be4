"""How much was kept, week by week, and how will it fade? Observed retention, and forgetting curves with a band."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.intervals import Interval, logit_interval, wilson
from osler.science.topic_strength import START_TAU

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HORIZON_DAYS = 180
WIDENS_OVER_DAYS = 30.0
FEWEST_A_PERIOD = 20
WEEK_DAYS = 7


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
    return [_period(rows, local_day, passed, forecast) for rows in _joined(groups)]


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

    Shapes: `recall_at(day)` gives (n,) chances, n at least 1.
    Source: science page, 2.10.
    """
    points: list[CurvePoint] = []
    for day in days:
        chances = recall_at(day)
        slope = float(np.mean(chances * (1.0 - chances)))
        sd = slope * tau * math.sqrt(1.0 + day / WIDENS_OVER_DAYS)
        band = logit_interval(float(chances.mean()), sd)
        points.append(CurvePoint(day, band.value, band.low, band.high))
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


def _joined(groups: list[Ints]) -> list[Ints]:
    """Neighbouring weeks put together until each has 20 reviews; what is left over at the end goes to the last."""
    out: list[Ints] = []
    waiting = np.zeros(0, dtype=np.int64)
    for rows in groups:
        waiting = np.concatenate([waiting, rows])
        if waiting.size >= FEWEST_A_PERIOD:
            out.append(waiting)
            waiting = np.zeros(0, dtype=np.int64)
    if waiting.size and out:
        out[-1] = np.concatenate([out[-1], waiting])
    elif waiting.size:
        out.append(waiting)
    return out


def _period(rows: Ints, local_day: Ints, passed: npt.NDArray[np.bool_], forecast: Floats) -> Period:
    retention = wilson(int(passed[rows].sum()), int(rows.size)) or Interval(0.0, 0.0, 1.0)
    made = forecast[rows][np.isfinite(forecast[rows])]
    return Period(
        first_day=int(local_day[rows].min()),
        last_day=int(local_day[rows].max()),
        n=int(rows.size),
        retention=retention,
        forecast=float(made.mean()) if made.size else None,
    )
