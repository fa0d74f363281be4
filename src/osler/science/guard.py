"""Is a learner served worse than by their own running mean? A mixture of the two that cannot be, but for ln 2 in all.

Two experts, the memory model and the learner's running mean, are mixed by Bayes' rule over the next-day reviews seen
so far. Whatever the reviews are, the summed log loss of the mixture exceeds that of the better expert by at most
ln 2 = .69: over 70 reviews that is .01 a review, over 700 a thousandth. Nothing in it is tuned.

New parameters are a new expert, of which the old ones' record says something but not all: a refit moves a tenth of
the weight to even (`refitted`, a fixed share). A refit then costs at most .05 where the better expert stays the same,
and at most 3 where it changes, which it does once or never while a learner's reviews grow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.logits import held, sigmoid

PRIOR_PASSED = 9.0
PRIOR_N = 10.0
# One change of the better expert over the 5 to 28 refits of a learner's life (each a fifth more reviews, 64 to 10,000).
SHARE_AT_REFIT = 0.1

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Guard:
    """A learner's next-day reviews so far, and how far ahead the model is of the running mean.

    `advantage` is the running mean's summed log loss minus the model's (nats): the log odds of the model's weight.
    """

    passed: int = 0
    n: int = 0
    advantage: float = 0.0

    @property
    def running_mean(self) -> float:
        """(passed + 9)/(n + 10): what the learner passes, starting at .9."""
        return (self.passed + PRIOR_PASSED) / (self.n + PRIOR_N)


def served(guard: Guard, forecast: float) -> float:
    """The chance that leaves Osler: the model's forecast and the running mean, weighted by how each has done.

    Source: Vovk 1990; DeSantis, Markowsky, Wegman 1988 (Bayes mixture, regret at most ln 2 for two experts).
    """
    weight = sigmoid(guard.advantage)
    return weight * held(forecast) + (1.0 - weight) * held(guard.running_mean)


def update(guard: Guard, forecast: float, passed: bool) -> Guard:
    """The guard after a next-day review; `forecast` is the model's own, made before it, not the mixture's."""
    gain = _log_chance(forecast, passed) - _log_chance(guard.running_mean, passed)
    return Guard(guard.passed + int(passed), guard.n + 1, guard.advantage + gain)


def refitted(guard: Guard) -> Guard:
    """The guard when new parameters are taken into use: what was passed stays, a tenth of the weight is shared evenly.

    Source: Herbster & Warmuth 1998 (fixed share), applied where the experts change.
    """
    weight = (1.0 - SHARE_AT_REFIT) * sigmoid(guard.advantage) + SHARE_AT_REFIT / 2.0
    return Guard(guard.passed, guard.n, math.log(weight / (1.0 - weight)))


def running_mean(passed: Mask, next_day: Mask) -> Floats:
    """The running mean before each row: (passed + 9)/(n + 10) over the next-day reviews so far. Shapes: (n,)."""
    counted = passed & next_day
    so_far = np.cumsum(next_day) - next_day
    return (np.cumsum(counted) - counted + PRIOR_PASSED) / (so_far + PRIOR_N)


def scan(forecast: Floats, passed: Mask, next_day: Mask, *, guard: Guard | None = None) -> tuple[Floats, Guard]:
    """One learner's served forecasts in time order, and the guard after the last.

    Shapes: (n,) arrays. Rows that are no next-day review pass through unguarded and teach nothing (NaN stays NaN).
    """
    state, out = guard or Guard(), forecast.copy()
    for row in np.flatnonzero(next_day).tolist():
        model, hit = float(forecast[row]), bool(passed[row])
        out[row] = served(state, model)
        state = update(state, model, hit)
    return out, state


def _log_chance(p: float, passed: bool) -> float:
    return math.log(held(p) if passed else 1.0 - held(p))
