"""Which SBD parameters fit one learner? The loss with its exact gradient, run backwards through the recurrence."""

# SciPy ships no types for its optimisers.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from osler.science.sbd import FAILS_MAX, LOG_S, POPULATION, RECALL, T_MIN, Parameters, checked
from osler.science.threads import one_thread
from osler.science.waves import NOTHING_CARRIED, Waves, carry, waves_of

Floats = npt.NDArray[np.float64]

SPREAD = (1.754, 1.2339, 0.5003, 0.546, 0.0989, 1.1685, 0.7778)  # of the parameters over learners
ITERATIONS = 60
BOUNDS = ((-6.9, 10.5), (-6.9, 10.5), (0.5, 20.0), (-10.0, 5.0), (0.0, 5.0), (-20.0, 20.0), (-10.0, 5.0))


@dataclass(frozen=True, slots=True)
class _Wave:
    """What one wave leaves for the way back."""

    rows: slice
    log_s: Floats
    last: Floats
    fails: Floats
    spent: Floats
    by_time: Floats
    from_floor: Floats
    growth: Floats
    saturation: Floats
    beta: Floats
    chance: Floats
    free_chance: Floats
    free_log_s: Floats


class Objective:
    """The weighted mean log loss of the rows that count, plus a ridge towards the start values, with its gradient.

    Shapes: (n,) arrays in fold order; `elapsed_days` of an item's first review is not read. `weight` is 0 for rows
    that only carry the memory on. `carried` are (ln S, failures) after the first m rows, where the reviews up to these
    are gone (see `waves.carry`): such traces are what they are, whatever the parameters.
    """

    def __init__(
        self,
        waves: Waves,
        elapsed_days: Floats,
        rating: npt.NDArray[np.int64],
        weight: Floats,
        *,
        start: Parameters = POPULATION,
        carried: tuple[Floats, Floats] = NOTHING_CARRIED,
    ) -> None:
        self.waves, self.carried = waves, carried
        self.known = np.zeros(waves.items, dtype=np.bool_)
        self.log_days = np.log(np.maximum(elapsed_days[waves.order], T_MIN))
        self.g = rating[waves.order].astype(np.float64)
        self.failure = np.maximum(0.0, (3.0 - self.g) / 2.0)
        self.passed = self.g >= 2.0
        self.weight = weight[waves.order] / weight.sum()
        self.start = np.array(start)
        self.ridge = 2.0 / int((weight > 0).sum()) / np.array(SPREAD) ** 2

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """(value, gradient of shape (7,)) at the parameters `theta`."""
        p = Parameters(*theta.tolist())
        tape, loss, by_chance = self._forwards(p)
        gradient = self._backwards(p, tape, by_chance)
        away = theta - self.start
        return loss + float(np.sum(self.ridge * away**2)), gradient + 2.0 * self.ridge * away

    def _forwards(self, p: Parameters) -> tuple[list[_Wave], float, Floats]:
        tape: list[_Wave] = []
        loss, by_chance = 0.0, np.zeros(self.g.size)
        log_s = last = fails = np.zeros(0)
        for number, rows in enumerate(self.waves):
            if number == 0:
                free = p.low + p.rung * (self.g[rows] - 1.0)
                log_s, last, fails = np.clip(free, *LOG_S), self.g[rows] - 1.0, self.failure[rows].copy()
                self.known = carry(self.waves, self.carried, (log_s, fails))
                continue
            wave = self._wave(p, rows, log_s, last, fails)
            tape.append(wave)
            hit, chance, weight = self.passed[rows], wave.chance, self.weight[rows]
            loss -= float(np.sum(weight * np.log(np.where(hit, chance, 1.0 - chance))))
            by_chance[rows] = weight * np.where(hit, -1.0 / chance, 1.0 / (1.0 - chance))
            log_s = np.clip(wave.free_log_s, *LOG_S)
            last, fails = self.g[rows] - 1.0, np.minimum(FAILS_MAX, wave.fails + self.failure[rows])
        return tape, loss, by_chance

    def _wave(self, p: Parameters, rows: slice, log_s: Floats, last: Floats, fails: Floats) -> _Wave:
        size = rows.stop - rows.start
        log_s, last, fails = log_s[:size], last[:size], fails[:size]
        beta = math.exp(p.al) * np.power(math.exp(p.ld) + fails, p.c)
        spent = self.log_days[rows] / p.k
        floor = p.v / p.k - last * (p.rung / 2.0) + log_s / 2.0
        log_a = np.logaddexp(spent, floor)
        growth = np.logaddexp(0.0, log_a - log_s)
        free_chance = np.exp(-beta * growth)
        chance = np.clip(free_chance, *RECALL)
        moved = np.where(self.passed[rows], growth, p.c * np.log1p(-chance))
        return _Wave(
            rows=rows, log_s=log_s, last=last, fails=fails, spent=spent, by_time=np.exp(spent - log_a),
            from_floor=np.exp(floor - log_a), growth=growth, saturation=-np.expm1(-growth), beta=beta,
            chance=chance, free_chance=free_chance, free_log_s=log_s + moved,
        )  # fmt: skip

    def _backwards(self, p: Parameters, tape: list[_Wave], by_chance: Floats) -> Floats:
        """The adjoint: `flow` is the derivative of the loss by ln S of each item, carried from the last wave back."""
        d_low = d_high = d_k = d_al = d_c = d_v = d_ld = d_rung = 0.0
        flow = np.zeros(self.waves.items)
        for wave in reversed(tape):
            rows, size = wave.rows, wave.log_s.size
            passed = self.passed[rows]
            came = flow[:size] * ((wave.free_log_s > LOG_S[0]) & (wave.free_log_s < LOG_S[1]))
            lost = np.where(passed, 0.0, came)
            d_c += float(np.sum(lost * np.log1p(-wave.chance)))
            to_chance = by_chance[rows] - lost * p.c / (1.0 - wave.chance)
            inside = (wave.free_chance > RECALL[0]) & (wave.free_chance < RECALL[1])
            to_exponent = to_chance * wave.chance * inside
            to_log_beta = -to_exponent * wave.growth * wave.beta
            offset = math.exp(p.ld) + wave.fails
            d_al += float(to_log_beta.sum())
            d_c += float(np.sum(to_log_beta * np.log(offset)))
            d_ld += float(np.sum(to_log_beta * p.c * math.exp(p.ld) / offset))
            to_ratio = (np.where(passed, came, 0.0) - to_exponent * wave.beta) * wave.saturation
            to_floor = to_ratio * wave.from_floor
            d_k -= float(np.sum(to_ratio * wave.by_time * wave.spent)) / p.k + float(to_floor.sum()) * p.v / p.k**2
            d_v += float(to_floor.sum()) / p.k
            d_rung -= float(np.sum(to_floor * wave.last)) / 2.0
            flow[:size] = came - to_ratio + to_floor / 2.0
        firsts = self.g[: self.waves.items] - 1.0
        free = p.low + p.rung * firsts
        flow = flow * ((free > LOG_S[0]) & (free < LOG_S[1]) & ~self.known)
        d_low += float(flow.sum())
        d_rung += float(np.sum(flow * firsts))
        return np.array([d_low - d_rung / 3.0, d_high + d_rung / 3.0, d_k, d_al, d_c, d_v, d_ld])


def recency_weights(n: int) -> Floats:
    """.0667 + .9333 x^11.25 over n reviews in time order, x from 0 to 1: late reviews count most."""
    return 0.0667 + 0.9333 * np.linspace(0.0, 1.0, n) ** 11.25


def fit(
    item: npt.ArrayLike,
    elapsed_days: Floats,
    rating: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
    *,
    start: Parameters = POPULATION,
    carried: tuple[Floats, Floats] = NOTHING_CARRIED,
    iterations: int = ITERATIONS,
) -> Parameters:
    """The parameters that fit one learner's reviews best, drawn towards `start`.

    Shapes: (n,) arrays in time order; `counted` marks the rows whose outcome is scored (never an item's first).
    `carried` as for `Objective`. Without a scored row the answer is `start`.
    Source: srs-benchmark's SBD; L-BFGS-B (Byrd, Lu, Nocedal, Zhu 1995).
    """
    scored = int(counted.sum())
    if scored == 0:
        return start
    weight = np.zeros(rating.size)
    weight[counted] = recency_weights(scored)
    objective = Objective(waves_of(item), elapsed_days, rating, weight, start=start, carried=carried)
    with one_thread():
        found = minimize(
            objective, np.array(start), jac=True, method="L-BFGS-B", bounds=BOUNDS, options={"maxiter": iterations}
        )
    low, high, *rest = (float(x) for x in found.x)
    return checked(Parameters(low, max(low, high), *rest))
