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
        step = np.clip(np.linalg.solve(curvature, gradient), -2, 2)
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return Calibration("logistic", outcome.size, (float(beta[0]),), (max(0.0, float(beta[1])),))


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
