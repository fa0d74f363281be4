"""What is the usual time of day? Circular mean and spread, so that 23:00 and 01:00 average to midnight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, log, pi, sin, sqrt, tau


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Mean hour (0 to 24), spread in hours (circular standard deviation), mean resultant length 0 to 1, and n."""

    hour: float | None
    spread_hours: float | None
    concentration: float
    n: int


def usual_hour(hours: Sequence[float]) -> TimeOfDay | None:
    """The circular mean of wall-clock hours; `hour` is None when the hours cancel out, None in all without hours.

    Source: Mardia & Jupp 2000, sections 2.2 and 2.3: mean direction, R, sqrt(-2 ln R).

    >>> usual_hour([23.0, 1.0]).hour
    0.0
    """
    if not hours:
        return None
    angles = [hour * tau / 24 for hour in hours]
    x, y = sum(map(cos, angles)) / len(hours), sum(map(sin, angles)) / len(hours)
    length = min(1.0, hypot(x, y))
    if length < 1e-9:
        return TimeOfDay(None, None, 0.0, len(hours))
    mean = (atan2(y, x) * 12 / pi) % 24
    return TimeOfDay(round(mean, 9) % 24, sqrt(max(0.0, -2 * log(length))) * 12 / pi, length, len(hours))
