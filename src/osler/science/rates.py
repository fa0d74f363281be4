# SciPy ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""How many an hour? A count over an exposure with its exact Poisson interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate per unit of exposure with its interval and the count behind it."""

    value: float
    low: float
    high: float
    count: int


def poisson_rate(count: int, exposure: float, *, minimum: float = 1.0, confidence: float = 0.90) -> Rate | None:
    """Count / exposure with the exact interval; None under `minimum` exposure (too little time to speak of a rate).

    Source: Garwood 1936, by gamma quantiles. Count 10, exposure 1, 90 %: 5.4254 to 16.9622.
    """
    if exposure < minimum or exposure <= 0:
        return None
    from scipy.special import gammaincinv  # noqa: PLC0415  (SciPy is a fifth of the start, and needed at night)

    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    high = float(gammaincinv(count + 1, 1 - tail))
    return Rate(count / exposure, low / exposure, high / exposure, count)
