"""What does a second memory model say, one that uses real elapsed time, within a day too? SBD."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.waves import NOTHING_CARRIED, Waves, carry

Floats = npt.NDArray[np.float64]

T_MIN = 1e-9
LOG_S = (-6.9, 10.5)
RECALL = (1e-6, 1.0 - 1e-6)
FAILS_MAX = 50.0


class Parameters(NamedTuple):
    """SBD's seven parameters: ln S of a first Again and a first Easy, exponent of time, and the decay's three.

    `low` <= `high`, `k` in [.5, 20], `c` >= 0: see `checked`.
    """

    low: float = -2.803101
    high: float = 1.386926
    k: float = 1.739235
    al: float = -1.819954
    c: float = 0.529839
    v: float = -0.886052
    ld: float = -1.393709

    @property
    def rung(self) -> float:
        """The logarithm of rho: how much ln S of a first review grows from one rating to the next."""
        return (self.high - self.low) / 3.0


POPULATION = Parameters()


def checked(parameters: Parameters) -> Parameters:
    """The parameters, if they are usable. Errors: InvalidModelInput naming the one that is not."""
    if not all(math.isfinite(value) for value in parameters):
        raise InvalidModelInput("An SBD parameter is not finite.")
    if parameters.high < parameters.low or not 0.5 <= parameters.k <= 20.0 or parameters.c < 0.0:
        raise InvalidModelInput(f"SBD needs H >= L, k in 0.5..20 and c >= 0, not {tuple(parameters)}.")
    return parameters


@dataclass(frozen=True, slots=True)
class Trace:
    """An item's memory in SBD: `log_s` = ln S, `last` = last rating - 1, `fails` = weighted count of failures.

    S is not FSRS's stability and must not be shown as such.
    """

    log_s: float
    last: int
    fails: float


def first(rating: int, *, parameters: Parameters = POPULATION) -> Trace:
    """The trace after the first review. Errors: InvalidModelInput for a rating outside 1..4."""
    _check_rating(rating)
    log_s = parameters.low + parameters.rung * (rating - 1)
    return Trace(min(max(log_s, LOG_S[0]), LOG_S[1]), rating - 1, _failure(rating))


def recall(trace: Trace, elapsed_days: float, *, parameters: Parameters = POPULATION) -> float:
    """R: the chance of recall `elapsed_days` (fractions count, also within a day) after the last review."""
    return _forecast(trace, elapsed_days, parameters)[1]


def step(trace: Trace, elapsed_days: float, rating: int, *, parameters: Parameters = POPULATION) -> Trace:
    """The trace after one more review.

    Units: days with fractions. Errors: InvalidModelInput for a rating outside 1..4.
    Source: SBD of open-spaced-repetition/srs-benchmark, from its equations; golden cases in tests/golden/sbd.json.
    """
    return met(trace, elapsed_days, rating, parameters=parameters)[1]


def met(trace: Trace, elapsed_days: float, rating: int, *, parameters: Parameters = POPULATION) -> tuple[float, Trace]:
    """(`recall` before one more review, `step` with it): both at the cost of one."""
    _check_rating(rating)
    growth, chance = _forecast(trace, elapsed_days, parameters)
    log_s = trace.log_s + (growth if rating >= 2 else parameters.c * math.log1p(-chance))
    fails = min(FAILS_MAX, trace.fails + _failure(rating))
    return chance, Trace(min(max(log_s, LOG_S[0]), LOG_S[1]), rating - 1, fails)


def _forecast(trace: Trace, elapsed_days: float, p: Parameters) -> tuple[float, float]:
    """(ln(1 + a/S), R). The first is also what a pass adds to ln S, as S + a = S (1 + a/S)."""
    beta = math.exp(p.al) * (math.exp(p.ld) + trace.fails) ** p.c
    spent = math.log(max(elapsed_days, T_MIN)) / p.k
    floor = p.v / p.k - trace.last / 2.0 * p.rung + trace.log_s / 2.0
    growth = _log_add(0.0, _log_add(spent, floor) - trace.log_s)
    return growth, min(max(math.exp(-beta * growth), RECALL[0]), RECALL[1])


def _log_add(a: float, b: float) -> float:
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def _failure(rating: int) -> float:
    return max(0.0, (3 - rating) / 2.0)


def _check_rating(rating: int) -> None:
    if rating not in (1, 2, 3, 4):
        raise InvalidModelInput(f"A rating is 1, 2, 3 or 4, not {rating!r}.")


@dataclass(frozen=True, slots=True)
class Traces:
    """Every row of a fold: the forecast made before it (NaN at an item's first review) and the trace after it."""

    forecast: Floats
    log_s: Floats
    fails: Floats


def recall_many(
    log_s: Floats, last: Floats, fails: Floats, elapsed_days: Floats, *, parameters: Parameters = POPULATION
) -> tuple[Floats, Floats]:
    """(ln(1 + a/S), R) of many traces: `recall` with the same values. Shapes: (n,) arrays."""
    p = parameters
    beta = math.exp(p.al) * np.power(math.exp(p.ld) + fails, p.c)
    spent = np.log(np.maximum(elapsed_days, T_MIN)) / p.k
    floor = p.v / p.k - last * (p.rung / 2.0) + log_s / 2.0
    growth = np.logaddexp(0.0, np.logaddexp(spent, floor) - log_s)
    return growth, np.clip(np.exp(-beta * growth), *RECALL)


def fold(
    waves: Waves,
    elapsed_days: Floats,
    rating: npt.NDArray[np.int64],
    *,
    parameters: Parameters = POPULATION,
    carried: tuple[Floats, Floats] = NOTHING_CARRIED,
) -> Traces:
    """All rows of many items, wave by wave; the same values as `first` and `step` one by one.

    Shapes: (n,) arrays in fold order; `elapsed_days` of an item's first review is not read. `carried` are
    (ln S, failures) after the first m rows, where these stand for a history that is gone: see `waves.carry`.
    """
    days, g = elapsed_days[waves.order], rating[waves.order].astype(np.float64)
    failure = np.maximum(0.0, (3.0 - g) / 2.0)
    out = np.full((3, g.size), np.nan)
    log_s = last = fails = np.zeros(0)
    for number, rows in enumerate(waves):
        size = rows.stop - rows.start
        if number == 0:
            log_s = np.clip(parameters.low + parameters.rung * (g[rows] - 1.0), *LOG_S)
            fails = failure[rows].copy()
            carry(waves, carried, (log_s, fails))
        else:
            growth, chance = recall_many(log_s[:size], last[:size], fails[:size], days[rows], parameters=parameters)
            moved = np.where(g[rows] >= 2.0, growth, parameters.c * np.log1p(-chance))
            log_s = np.clip(log_s[:size] + moved, *LOG_S)
            fails = np.minimum(FAILS_MAX, fails[:size] + failure[rows])
            out[0, rows] = chance
        last = g[rows] - 1.0
        out[1, rows], out[2, rows] = log_s, fails
    back = np.empty_like(out)
    back[:, waves.order] = out
    return Traces(forecast=back[0], log_s=back[1], fails=back[2])
