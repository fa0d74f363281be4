"""Is a learner getting better on a topic? A Bayesian logistic slope over the last 28 days, by Laplace's method."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.logits import Z90

WINDOW_DAYS = 28.0
MIN_ATTEMPTS = 12
MIN_DAYS = 3
SURE = 0.95
ROUNDS = 50

Floats = npt.NDArray[np.float64]
Label = Literal["improving", "stable", "declining", "insufficient_data"]


@dataclass(frozen=True, slots=True)
class Trend:
    """The change over 28 days in logits, with its 90 % interval; all None where there is too little to say."""

    label: Label
    n: int
    slope: float | None = None
    low: float | None = None
    high: float | None = None
    chance_of_rise: float | None = None


def trend(
    easiness: npt.ArrayLike, at_days: npt.ArrayLike, correct: npt.ArrayLike, *, prior_mean: float, prior_variance: float
) -> Trend:
    """The trend of first attempts on one topic: logit p = easiness + α + β (t - mean t)/28, β ~ N(0, 1).

    Shapes: three (n,) arrays, all from the window. Units: `at_days` in days on any origin; the prior of α in logits is
    ability plus skill at the window's start. Under 12 attempts or 3 local days: `insufficient_data`.
    Errors: InvalidModelInput for values that are not finite, or a prior variance that is not above 0.
    Source: Laplace's approximation, MacKay 1992.
    """
    d, t, y = (np.asarray(v, dtype=np.float64) for v in (easiness, at_days, correct))
    if not (np.isfinite(d).all() and np.isfinite(t).all() and np.isfinite(y).all() and prior_variance > 0.0):
        raise InvalidModelInput("A trend needs finite values and a prior variance above 0.")
    if y.size < MIN_ATTEMPTS or np.unique(np.floor(t)).size < MIN_DAYS:
        return Trend("insufficient_data", int(y.size))
    design = np.column_stack([np.ones_like(t), (t - t.mean()) / WINDOW_DAYS])
    mode, covariance = _laplace(d, design, y, np.array([prior_mean, 0.0]), np.array([1.0 / prior_variance, 1.0]))
    slope, sd = float(mode[1]), sqrt(float(covariance[1, 1]))
    rise = 0.5 * (1.0 + erf(slope / sd / sqrt(2.0)))
    label: Label = "improving" if rise >= SURE else "declining" if rise <= 1.0 - SURE else "stable"
    return Trend(label, int(y.size), slope, slope - Z90 * sd, slope + Z90 * sd, rise)


def _laplace(offset: Floats, design: Floats, y: Floats, mean: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """(mode, covariance) of a logistic regression with a normal prior, by Newton's method with halved steps."""

    def loss(at: Floats) -> float:
        z = offset + design @ at
        return float(np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * np.sum(precision * (at - mean) ** 2))

    beta = mean.copy()
    hessian = np.diag(precision)
    for _ in range(ROUNDS):
        p = 1.0 / (1.0 + np.exp(-np.clip(offset + design @ beta, -30.0, 30.0)))
        gradient = design.T @ (y - p) - precision * (beta - mean)
        hessian = (design * (p * (1.0 - p))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        while loss(beta + step) > loss(beta) + 1e-12:
            step = step / 2.0
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return beta, np.asarray(np.linalg.inv(hessian), dtype=np.float64)
