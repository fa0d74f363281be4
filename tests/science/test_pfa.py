"""Do right and wrong answers carry as they should?"""

from __future__ import annotations

import numpy as np

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
