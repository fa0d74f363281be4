"""Does knowledge tracing find what made the answers, and agree with the plain recursion?"""

from __future__ import annotations

import numpy as np
import pytest

from osler.science import bkt
from osler.science.bkt import Skills


def simulated(learners: int = 600, steps: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two skills, answers interleaved; truth (.3, .2, .15, .08) and (.6, .1, .25, .05)."""
    rng = np.random.default_rng(2)
    truth = np.array([[0.3, 0.2, 0.15, 0.08], [0.6, 0.1, 0.25, 0.05]])
    learner, skill, correct = [], [], []
    for u in range(learners):
        known = rng.random(2) < truth[:, 0]
        for t in range(2 * steps):
            k = t % 2
            right = rng.random() < (1 - truth[k, 3] if known[k] else truth[k, 2])
            learner.append(u)
            skill.append(k)
            correct.append(float(right))
            known[k] = known[k] or rng.random() < truth[k, 1]
    return np.array(learner), np.array(skill), np.array(correct)


def test_the_fit_finds_the_chances_that_made_the_answers() -> None:
    learner, skill, correct = simulated()
    found = bkt.fit(learner, skill, correct, skills=2, rounds=60)
    assert found.prior == pytest.approx([0.3, 0.6], abs=0.08)
    assert found.learn == pytest.approx([0.2, 0.1], abs=0.05)
    assert found.guess == pytest.approx([0.15, 0.25], abs=0.06)
    assert found.slip == pytest.approx([0.08, 0.05], abs=0.03)


def test_each_round_raises_the_likelihood() -> None:
    learner, skill, correct = simulated(200)
    losses = []
    for rounds in (1, 3, 10, 25):
        p = bkt.predict(bkt.fit(learner, skill, correct, skills=2, rounds=rounds), learner, skill, correct)
        losses.append(-np.mean(correct * np.log(p) + (1 - correct) * np.log1p(-p)))
    assert losses == sorted(losses, reverse=True)


def test_forecasts_are_the_plain_recursion() -> None:
    learner, skill, correct = simulated(30, 6)
    order = np.argsort(np.random.default_rng(0).random(30)[learner], kind="stable")
    learner, skill, correct = learner[order], skill[order], correct[order]
    chances = Skills(np.array([0.3, 0.5]), np.array([0.2, 0.1]), np.array([0.2, 0.3]), np.array([0.1, 0.2]))
    known: dict[tuple[int, int], float] = {}
    expected = []
    for u, k, y in zip(learner.tolist(), skill.tolist(), correct.tolist(), strict=True):
        p = known.get((u, k), float(chances.prior[k]))
        guess, slip = float(chances.guess[k]), float(chances.slip[k])
        expected.append(p * (1 - slip) + (1 - p) * guess)
        yes, no = (p * (1 - slip), (1 - p) * guess) if y else (p * slip, (1 - p) * (1 - guess))
        after = yes / (yes + no)
        known[u, k] = after + (1 - after) * float(chances.learn[k])
    assert bkt.predict(chances, learner, skill, correct) == pytest.approx(expected, abs=1e-12)


def test_guess_and_slip_stay_under_a_half_and_unseen_skills_keep_the_start() -> None:
    n = 50
    found = bkt.fit(np.arange(n), np.zeros(n, dtype=int), np.zeros(n), skills=2)
    assert found.slip[0] <= 0.5
    assert (found.prior[1], found.learn[1]) == (0.4, 0.15)
