"""How long until it happens, when for some it has not happened yet? Kaplan–Meier median, interval, restricted mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt

Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Survival:
    """The survival curve at its steps with log-log bounds; `events` of `n` happened.

    `median` with its bounds is None where the curve (or the bound) stays above .5. `restricted_mean` is the area under
    the curve to `restricted_to`.
    """

    times: tuple[float, ...]
    surviving: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int
    events: int
    median: float | None
    median_low: float | None
    median_high: float | None
    restricted_mean: float
    restricted_to: float


def kaplan_meier(duration: npt.ArrayLike, happened: npt.ArrayLike, *, restricted_to: float = 100.0) -> Survival | None:
    """The curve of P(not yet) over `duration`; learners for whom it has not happened are censored, never left out.

    Shapes: two (n,) arrays; `happened` 0/1. Events come before censorings of the same time. None without learners.
    Source: Kaplan & Meier 1958; Greenwood's variance; log-log interval of Kalbfleisch & Prentice, 90 %.
    """
    time = np.asarray(duration, dtype=np.float64)
    event = np.asarray(happened, dtype=bool)
    if time.size == 0:
        return None
    steps: list[tuple[float, float, float, float]] = []
    surviving, greenwood = 1.0, 0.0
    for at in np.unique(time[event]).tolist():
        at_risk = int((time >= at).sum())
        died = int((event & (time == at)).sum())
        surviving *= 1 - died / at_risk
        greenwood += died / (at_risk * (at_risk - died)) if at_risk > died else 0.0
        low, high = _log_log(surviving, greenwood)
        steps.append((at, surviving, low, high))
    return Survival(
        times=tuple(s[0] for s in steps),
        surviving=tuple(s[1] for s in steps),
        low=tuple(s[2] for s in steps),
        high=tuple(s[3] for s in steps),
        n=time.size,
        events=int(event.sum()),
        median=_crossing([(s[0], s[1]) for s in steps]),
        median_low=_crossing([(s[0], s[2]) for s in steps]),
        median_high=_crossing([(s[0], s[3]) for s in steps]),
        restricted_mean=_area([(s[0], s[1]) for s in steps], restricted_to),
        restricted_to=restricted_to,
    )


def _log_log(surviving: float, greenwood: float) -> tuple[float, float]:
    if not 0 < surviving < 1:
        return surviving, surviving
    half = Z_90 * sqrt(greenwood) / abs(log(surviving))
    return surviving ** exp(half), surviving ** exp(-half)


def _crossing(curve: list[tuple[float, float]]) -> float | None:
    return next((at for at, surviving in curve if surviving <= 0.5 + 1e-12), None)


def _area(curve: list[tuple[float, float]], until: float) -> float:
    area, at, surviving = 0.0, 0.0, 1.0
    for then, after in [*curve, (until, 0.0)]:
        stop = min(then, until)
        area += surviving * max(0.0, stop - at)
        at, surviving = max(at, stop), after
    return area
