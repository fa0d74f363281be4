"""What is a forecast of 80 % worth? Recalibration learned from outcomes: logistic, isotonic, or none yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kind = Literal["uncalibrated", "logistic", "isotonic"]

MIN_LOGISTIC = 30
MIN_ISOTONIC = 1000
CLIP = 1e-4


def _logit(p: npt.ArrayLike) -> Floats:
    inside = np.clip(np.asarray(p, dtype=np.float64), CLIP, 1 - CLIP)
    return np.log(inside / (1 - inside))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map from forecast to calibrated forecast, with the number of outcomes behind it.

    `logistic`: sig(knots[0] + values[0]·logit p) with intercept in `knots`, slope in `values`; `isotonic`: linear
    between (knots, values); `uncalibrated`: the forecast itself.
    """

    kind: Kind
    n: int
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def apply(self, p: npt.ArrayLike) -> Floats:
        """Calibrated forecasts of the same shape; monotone in p."""
        forecast = np.asarray(p, dtype=np.float64)
        if self.kind == "logistic":
            return 1 / (1 + np.exp(-(self.knots[0] + self.values[0] * _logit(forecast))))
        if self.kind == "isotonic":
            return np.interp(forecast, self.knots, self.values)
        return forecast

    def threshold(self, wanted: float) -> float:
        """The smallest forecast that is worth `wanted`, to a thousandth; infinite where none is."""
        grid = np.linspace(0.0, 1.0, 1001)
        enough = np.flatnonzero(self.apply(grid) >= wanted)
        return float(grid[enough[0]]) if enough.size else float("inf")


def shifted(expected: npt.ArrayLike, shift: float) -> Floats:
    """Expected shares of points moved by `shift` logits."""
    return 1 / (1 + np.exp(-(_logit(expected) + shift))) if shift else np.asarray(expected, dtype=np.float64)


def shift_in_the_large(expected: npt.ArrayLike, came: npt.ArrayLike) -> float:
    """The logits by which expected shares are to be moved so that their mean is that of the shares that came.

    Calibration in the large, an intercept without a slope: Cox 1958; Steyerberg 2009, chapter 15.

    >>> round(shift_in_the_large([0.5, 0.5], [0.6, 0.8]), 3)
    0.847
    """
    mean, shift = float(np.mean(np.clip(came, CLIP, 1 - CLIP))), 0.0
    for _ in range(50):
        now = 1 / (1 + np.exp(-(_logit(expected) + shift)))
        step = (mean - float(now.mean())) / float((now * (1 - now)).mean())
        shift += step
        if abs(step) < 1e-12:
            break
    return shift


def logistic_recalibration(p: npt.ArrayLike, y: npt.ArrayLike, *, pull: float = 1.0) -> Calibration:
    """Two parameters on the logit scale, found by Newton steps, pulled to (0, 1) with the weight of `pull` outcomes.

    The slope is kept at 0 or more, so that the order of learners never turns round. Source: Platt 1999; Cox 1958.
    """
    x, outcome = _logit(p), np.asarray(y, dtype=np.float64)
    design = np.column_stack([np.ones_like(x), x])
    prior = np.array([0.0, 1.0])
    beta = prior.copy()
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (outcome - chance) - pull * (beta - prior)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + pull * np.eye(2)
        step: Floats = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        # Forecasts that are sure and wrong have no curvature: a whole step leaps over the top, and back, for ever.
        reached = _worth(design, outcome, beta, prior, pull)
        while _worth(design, outcome, beta + step, prior, pull) < reached and float(np.abs(step).max()) > 1e-10:
            step = step / 2
        if float(np.abs(step).max()) < 1e-10:
            break
        beta = beta + step
    return Calibration("logistic", outcome.size, (float(beta[0]),), (max(0.0, float(beta[1])),))


def _worth(design: Floats, outcome: Floats, beta: Floats, prior: Floats, pull: float) -> float:
    """The log likelihood of two parameters, less their pull: what the Newton steps climb."""
    line = design @ beta
    return float(outcome @ line - np.logaddexp(0.0, line).sum() - pull / 2 * ((beta - prior) ** 2).sum())


def isotonic_recalibration(p: npt.ArrayLike, y: npt.ArrayLike) -> Calibration:
    """The best monotone map, by pooling adjacent violators; equal forecasts are one point.

    Each block's mean is pulled to the base rate by one outcome, so that no forecast becomes 0 or 1 on a few learners.
    Source: Zadrozny & Elkan 2002; Ayer et al. 1955.
    """
    outcome = np.asarray(y, dtype=np.float64)
    knots, code = np.unique(np.asarray(p, dtype=np.float64), return_inverse=True)
    weight = np.bincount(code).astype(np.float64)
    mean = np.bincount(code, outcome) / weight
    blocks: list[tuple[float, float, int]] = []  # mean, weight, points
    for value, mass in zip(mean.tolist(), weight.tolist(), strict=True):
        blocks.append((value, mass, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2:]
            blocks[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    base = float(outcome.mean())
    pulled = [(value * mass + base) / (mass + 1) for value, mass, _ in blocks]
    values = np.maximum.accumulate(np.repeat(pulled, [points for *_, points in blocks]))
    return Calibration("isotonic", outcome.size, tuple(knots.tolist()), tuple(values.tolist()))


def fit_calibration(p: npt.ArrayLike, y: npt.ArrayLike) -> Calibration:
    """What the number of outcomes allows: under 30 none, to 999 logistic, from 1,000 isotonic.

    `p` are forecasts made before the outcomes `y` (0/1) were known. A drop-out is no outcome: leave it out.
    """
    n = int(np.asarray(y).size)
    if n < MIN_LOGISTIC:
        return Calibration("uncalibrated", n)
    return logistic_recalibration(p, y) if n < MIN_ISOTONIC else isotonic_recalibration(p, y)
