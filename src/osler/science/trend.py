"""Does a short series rise or fall? Theil–Sen slope with an interval, robust against single odd weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, floor, sqrt
from statistics import NormalDist, median


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope per unit of x with its interval; `n` points."""

    value: float
    low: float
    high: float
    n: int


def theil_sen(x: Sequence[float], y: Sequence[float], confidence: float = 0.90) -> Slope | None:
    """Median of the pairwise slopes; the interval takes the order statistics of Kendall's normal approximation.

    Shapes: two sequences of one length; points of equal x make no pair. Under 4 distinct x: None (no interval exists).
    Source: Theil 1950; Sen 1968, section 6, variance without ties n(n-1)(2n+5)/18.

    >>> theil_sen([1, 2, 3, 4, 10, 12, 18], [9, 15, 19, 20, 45, 55, 78]).value
    4.0
    """
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in combinations(range(len(x)), 2) if x[i] != x[j])
    n = len(x)
    if len(set(x)) < 4:
        return None
    spread = NormalDist().inv_cdf(0.5 + confidence / 2) * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lower = max(floor((len(slopes) - spread) / 2), 1)
    upper = min(ceil((len(slopes) + spread) / 2) + 1, len(slopes))
    return Slope(median(slopes), slopes[lower - 1], slopes[upper - 1], n)
