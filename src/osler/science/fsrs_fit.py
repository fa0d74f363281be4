"""Which FSRS-6 weights fit one learner? The loss with its exact gradient, where no fitting extra is installed."""

# SciPy ships no types for its optimisers.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from osler.science.fsrs import FSRS6, LOWER, STABILITY_MAX, STABILITY_MIN, UPPER, Weights
from osler.science.fsrs_many import step_many
from osler.science.threads import one_thread
from osler.science.waves import NOTHING_CARRIED, Waves, carry, waves_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# How much each weight varies over learners: the spreads that fsrs-rs scales its own pull towards the defaults with.
SPREAD = (
    6.43, 9.66, 17.58, 27.85, 0.57, 0.28, 0.6, 0.12, 0.39, 0.18, 0.33,
    0.3, 0.09, 0.16, 0.57, 0.25, 1.03, 0.31, 0.32, 0.14, 0.27,
)  # fmt: skip
ITERATIONS = 30
LONGEST = 64  # reviews of one item that are learnt from: later ones say little of the weights and cost a wave each
SMALLEST_CHANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Wave:
    """What one wave leaves for the way back."""

    rows: slice
    s: Floats
    d: Floats
    new_s: Floats
    new_d: Floats
    chance: Floats


class Objective:
    """The weighted mean log loss of the rows that count, plus a ridge towards `start`, with its gradient.

    Shapes: (n,) arrays in fold order. Rows of weight 0 only carry the memory on; rows of the same day must be such,
    as R is 1 there. `carried` are (stability, difficulty) after the first m rows, where the reviews up to these are
    gone (see `waves.carry`): such memories are what they are, whatever the weights.
    """

    def __init__(
        self,
        waves: Waves,
        elapsed_days: Floats,
        rating: npt.NDArray[np.int64],
        weight: Floats,
        *,
        start: Weights = FSRS6,
        carried: tuple[Floats, Floats] = NOTHING_CARRIED,
    ) -> None:
        self.waves, self.carried = waves, carried
        self.known = np.zeros(waves.items, dtype=np.bool_)
        self.t, self.g = elapsed_days[waves.order], rating[waves.order]
        self.weight = weight[waves.order] / weight.sum()
        self.start = np.array(start.values)
        self.ridge = 1.0 / int((weight > 0).sum()) / np.array(SPREAD) ** 2

    def __call__(self, w: Floats) -> tuple[float, Floats]:
        """(value, gradient of shape (21,)) at the weights `w`, which lie inside the bounds."""
        weights = Weights.clipped(w.tolist())
        tape, loss, by_chance = self._forwards(weights)
        gradient = self._backwards(weights, tape, by_chance)
        away = w - self.start
        return loss + float(np.sum(self.ridge * away**2)), gradient + 2.0 * self.ridge * away

    def _forwards(self, weights: Weights) -> tuple[list[_Wave], float, Floats]:
        w, tape, loss, by_chance = weights.values, list[_Wave](), 0.0, np.zeros(self.g.size)
        s = d = np.zeros(0)
        for number, rows in enumerate(self.waves):
            g, t = self.g[rows], self.t[rows]
            if number == 0:
                s = np.maximum(np.array(w[:4]), STABILITY_MIN)[g - 1]
                d = np.clip(w[4] - np.exp(w[5] * (g - 1.0)) + 1.0, 1.0, 10.0)
                self.known = carry(self.waves, self.carried, (s, d))
                continue
            s, d = s[: g.size], d[: g.size]
            chance = np.power(1.0 + weights.factor * t / s, -w[20])
            new_s, new_d = step_many(s, d, t, g, weights=weights)
            tape.append(_Wave(rows, s, d, new_s, new_d, chance))
            held = np.clip(chance, SMALLEST_CHANCE, 1.0 - SMALLEST_CHANCE)
            hit, weight = g >= 2, self.weight[rows]
            loss -= float(np.sum(weight * np.log(np.where(hit, held, 1.0 - held))))
            by_chance[rows] = weight * np.where(hit, -1.0 / held, 1.0 / (1.0 - held)) * (held == chance)
            s, d = new_s, new_d
        return tape, loss, by_chance

    def _backwards(self, weights: Weights, tape: list[_Wave], by_chance: Floats) -> Floats:
        """The adjoint: derivatives by ln S and by D of each item, carried from the last wave to the first."""
        grad, w = np.zeros(21), weights.values
        to_s, to_d = np.zeros(self.waves.items), np.zeros(self.waves.items)
        into = _Gradient(grad, weights)
        for wave in reversed(tape):
            size = wave.s.size
            came = to_s[:size] * ((wave.new_s > STABILITY_MIN) & (wave.new_s < STABILITY_MAX))
            back_s, back_d, back_chance = into.stability(wave, self.t[wave.rows], self.g[wave.rows], came)
            back_d += into.difficulty(wave, self.g[wave.rows], to_d[:size])
            back_s += into.chance(wave, self.t[wave.rows], back_chance + by_chance[wave.rows])
            to_s[:size], to_d[:size] = back_s, back_d
        firsts = self.g[: self.waves.items]
        to_s[self.known] = to_d[self.known] = 0.0
        grad[:4] += np.bincount(firsts - 1, to_s, minlength=4) / np.array(w[:4])
        free = w[4] - np.exp(w[5] * (firsts - 1.0)) + 1.0
        to_d = to_d * ((free > 1.0) & (free < 10.0))
        grad[4] += to_d.sum()
        grad[5] -= np.sum(to_d * (firsts - 1.0) * np.exp(w[5] * (firsts - 1.0)))
        return grad


class _Gradient:
    """Adds each wave's part to the gradient, branch by branch, and gives back what flows to the state before."""

    def __init__(self, grad: Floats, weights: Weights) -> None:
        self.grad, self.w, self.weights = grad, weights.values, weights

    def stability(
        self, wave: _Wave, t: Floats, g: npt.NDArray[np.int64], came: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Through S': what flows to ln S, D and R."""
        to_s, to_d, to_chance = came.copy(), np.zeros_like(came), np.zeros_like(came)
        next_day = t >= 1.0
        for rows, branch in (
            (np.flatnonzero(next_day & (g >= 2)), self._recalled),
            (np.flatnonzero(next_day & (g == 1)), self._lapsed),
            (np.flatnonzero(~next_day), self._same_day),
        ):
            if rows.size:
                to_s[rows], to_d[rows], to_chance[rows] = branch(
                    came[rows], wave.s[rows], wave.d[rows], wave.chance[rows], g[rows]
                )
        return to_s, to_d, to_chance

    def _recalled(
        self, came: Floats, s: Floats, d: Floats, chance: Floats, g: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, Floats]:
        w, grad, forgotten = self.w, self.grad, 1.0 - chance
        grown = np.expm1(w[10] * forgotten)
        plain = np.exp(w[8]) * (11.0 - d) * np.power(s, -w[9])
        bonus = np.where(g == 2, w[15], np.where(g == 4, w[16], 1.0))
        gain = plain * grown * bonus
        to_gain = came / (1.0 + gain)
        part = to_gain * gain
        grad[8] += part.sum()
        grad[9] -= np.sum(part * np.log(s))
        for rating, index in ((2, 15), (4, 16)):
            grad[index] += np.sum((to_gain * plain * grown)[g == rating])
        slope = to_gain * plain * bonus * (grown + 1.0)
        grad[10] += np.sum(slope * forgotten)
        return came - w[9] * part, -part / (11.0 - d), -slope * w[10]

    def _lapsed(
        self, came: Floats, s: Floats, d: Floats, chance: Floats, _: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, Floats]:
        w, grad, forgotten = self.w, self.grad, 1.0 - chance
        power = np.power(s + 1.0, w[13])
        long_term = w[11] * np.power(d, -w[12]) * (power - 1.0) * np.exp(w[14] * forgotten)
        held = long_term >= s * np.exp(-w[17] * w[18])
        short, through = np.where(held, came, 0.0), np.where(held, 0.0, came)
        grad[17] -= short.sum() * w[18]
        grad[18] -= short.sum() * w[17]
        grad[11] += through.sum() / w[11]
        grad[12] -= np.sum(through * np.log(d))
        grad[13] += np.sum(through * power * np.log(s + 1.0) / (power - 1.0))
        grad[14] += np.sum(through * forgotten)
        to_s = short + through * w[13] * power / (s + 1.0) / (power - 1.0) * s
        return to_s, -through * w[12] / d, -through * w[14]

    def _same_day(
        self, came: Floats, s: Floats, d: Floats, chance: Floats, g: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, Floats]:
        w, grad, log_s = self.w, self.grad, np.log(s)
        free = (g < 2) | (w[17] * (g - 3.0 + w[18]) - w[19] * log_s > 0.0)
        through = np.where(free, came, 0.0)
        grad[17] += np.sum(through * (g - 3.0 + w[18]))
        grad[18] += through.sum() * w[17]
        grad[19] -= np.sum(through * log_s)
        return came - w[19] * through, np.zeros_like(d), np.zeros_like(chance)

    def difficulty(self, wave: _Wave, g: npt.NDArray[np.int64], came: Floats) -> Floats:
        """Through D': what flows to D."""
        w, grad = self.w, self.grad
        came = came * ((wave.new_d > 1.0) & (wave.new_d < 10.0))
        pull = (g - 3.0) / 9.0
        room = 10.0 - wave.d
        grad[6] -= np.sum(came * pull * room) * (1.0 - w[7])
        grad[7] += np.sum(came * (self.weights.easy_difficulty - (wave.d - w[6] * pull * room)))
        grad[4] += came.sum() * w[7]
        grad[5] -= came.sum() * w[7] * 3.0 * np.exp(3.0 * w[5])
        return came * (1.0 - w[7]) * (1.0 + w[6] * pull)

    def chance(self, wave: _Wave, t: Floats, came: Floats) -> Floats:
        """Through R: what flows to ln S."""
        w, grad, f = self.w, self.grad, self.weights.factor
        x = f * t / wave.s
        part = came * wave.chance
        grad[20] -= np.sum(part * np.log1p(x))
        to_x = -part * w[20] / (1.0 + x)
        by_w20 = (f + 1.0) * np.log(0.9) / w[20] ** 2
        grad[20] += np.sum(to_x * x) / f * by_w20
        return -to_x * x


def fit(
    item: npt.ArrayLike,
    elapsed_days: Floats,
    rating: npt.NDArray[np.int64],
    counted: Mask,
    *,
    start: Weights = FSRS6,
    carried: tuple[Floats, Floats] = NOTHING_CARRIED,
    iterations: int = ITERATIONS,
) -> Weights:
    """The weights that fit one learner's reviews best, drawn towards `start`, inside the bounds.

    Shapes: (n,) arrays in time order; `counted` marks the rows whose outcome is scored: next-day ones, never an item's
    first. Late reviews weigh more (.25 + .75 x³ over the scored rows, as fsrs-rs does). `carried` as for `Objective`.
    Source: FSRS-6; L-BFGS-B (Byrd, Lu, Nocedal, Zhu 1995).
    """
    scored = int(counted.sum())
    if scored == 0:
        return start
    weight = np.zeros(rating.size)
    weight[counted] = 0.25 + 0.75 * np.linspace(0.0, 1.0, scored) ** 3
    waves = _first_reviews(waves_of(item), LONGEST)
    objective = Objective(waves, elapsed_days, rating, weight, start=start, carried=carried)
    with one_thread():
        found = minimize(
            objective,
            np.array(start.values),
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(LOWER, UPPER, strict=True)),
            options={"maxiter": iterations},
        )
    return Weights.clipped([float(x) for x in found.x])


def _first_reviews(waves: Waves, longest: int) -> Waves:
    starts = waves.starts[: longest + 1]
    return Waves(order=waves.order[: starts[-1]], starts=starts)
