"""Does the trend tell a rise from noise, and stay silent on little?"""

from __future__ import annotations

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.science.skill_trend import Trend, trend


def simulated(slope: float, n: int, seed: int) -> Trend:
    rng = np.random.default_rng(seed)
    days = np.sort(rng.uniform(0, 28, n))
    p = 1 / (1 + np.exp(-(0.3 + slope * (days - days.mean()) / 28)))
    return trend(np.zeros(n), days, rng.random(n) < p, prior_mean=0.0, prior_variance=1.0)


def test_a_planted_rise_and_fall_are_found() -> None:
    assert simulated(4.0, 120, 1).label == "improving"
    assert simulated(-4.0, 120, 1).label == "declining"


def test_a_learner_who_stands_still_is_seldom_called_anything_else() -> None:
    labels = [simulated(0.0, 40, seed).label for seed in range(200)]
    assert labels.count("stable") / 200 >= 0.85


def test_little_data_is_a_state() -> None:
    assert simulated(2.0, 11, 0) == Trend("insufficient_data", 11)
    two_days = trend(np.zeros(20), np.repeat([1.0, 2.0], 10), np.ones(20), prior_mean=0.0, prior_variance=1.0)
    assert two_days.label == "insufficient_data"


def test_the_mode_is_that_of_the_posterior() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    days, d, y = rng.uniform(0, 28, 30), rng.normal(size=30), rng.integers(0, 2, 30)
    x = (days - days.mean()) / 28

    def loss(b: np.ndarray) -> float:
        z = d + b[0] + b[1] * x
        return float(np.sum(np.logaddexp(0, z) - y * z) + (b[0] - 0.4) ** 2 / (2 * 0.9) + b[1] ** 2 / 2)

    best = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    got = trend(d, days, y, prior_mean=0.4, prior_variance=0.9)
    assert got.slope == pytest.approx(best.x[1], abs=1e-6)
    assert got.slope is not None
    assert got.low is not None
    assert got.high is not None
    assert got.low < got.slope < got.high


def test_separated_answers_keep_a_finite_slope() -> None:
    days = np.arange(28.0)
    got = trend(np.zeros(28), days, days > 13, prior_mean=0.0, prior_variance=1.0)
    assert got.label == "improving"
    assert got.slope is not None
    assert np.isfinite(got.slope)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidModelInput):
        trend([np.nan], [0.0], [1.0], prior_mean=0.0, prior_variance=1.0)
    with pytest.raises(InvalidModelInput):
        trend([0.0], [0.0], [1.0], prior_mean=0.0, prior_variance=0.0)
