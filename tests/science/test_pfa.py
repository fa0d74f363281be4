"""Do right and wrong answers carry as they should?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.science import pfa


def test_right_answers_carry_more_than_wrong_ones() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    topic, right, wrong = rng.integers(0, 2, n), rng.integers(0, 6, n), rng.integers(0, 6, n)
    chance = 1 / (1 + np.exp(-(np.array([-0.5, 0.5])[topic] + 0.4 * right - 0.2 * wrong)))
    every = np.arange(n)
    design = pfa.design(every, topic, right.astype(float), wrong.astype(float), rows=n, topics=2)
    weights = pfa.fit(design, (rng.random(n) < chance).astype(float)).weights.reshape(3, 2)
    assert (weights[1] > 0.3).all()
    assert (weights[2] < -0.1).all()
    assert weights[0, 0] < weights[0, 1]


def counts(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    return rng.integers(0, 3, n), rng.integers(0, 9, n).astype(float), rng.integers(0, 9, n).astype(float)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_forecast_is_the_formula_of_the_paper(seed: int) -> None:
    """logit p = Σ over the item's skills of β_k + γ_k right_k + ρ_k wrong_k."""
    rng = np.random.default_rng(seed)
    (topic, right, wrong), row = counts(rng, 60), np.repeat(np.arange(30), 2)
    design = pfa.design(row, topic, right, wrong, rows=30, topics=3)
    fit = pfa.fit(design, rng.integers(0, 2, 30).astype(float))
    beta, gamma, rho = fit.weights.reshape(3, 3)
    each = beta[topic] + gamma[topic] * right + rho[topic] * wrong
    by_hand = fit.intercept + np.bincount(row, each)
    assert fit.logits(design) == pytest.approx(by_hand)
