"""Is the fold of many learners at once the fold of each?"""

from __future__ import annotations

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.science.irt import AbilityState, Trial, fold
from osler.science.irt_many import fold_many


def test_many_at_once_are_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    n, learners, topics = 3_000, 40, 6
    learner = rng.integers(0, learners, n)
    codes = np.array([rng.permutation(topics)[:3] for _ in range(n)])
    codes[:, 1:][rng.random((n, 2)) < 0.5] = -1
    codes[rng.random(n) < 0.1] = -1
    easiness, correct = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    weight = rng.choice([1.0, 0.5], n)
    got = fold_many(learner, codes, easiness, correct, weight, learners=learners, topic_count=topics)
    for u in range(learners):
        mine = np.flatnonzero(learner == u)
        trials = [
            Trial(float(easiness[i]), tuple(str(k) for k in codes[i] if k >= 0), bool(correct[i]), float(weight[i]))
            for i in mine
        ]
        ability, skills, chances = fold(trials, AbilityState(), {})
        assert got.ability[u] == pytest.approx([ability.mean, ability.variance], abs=1e-12)
        assert got.probability[mine] == pytest.approx(chances, abs=1e-12)
        for name, skill in skills.items():
            assert got.skill[u, int(name)] == pytest.approx([skill.mean, skill.variance], abs=1e-12)


def test_no_answers_leave_the_priors() -> None:
    none = np.zeros(0)
    got = fold_many(none.astype(int), np.zeros((0, 1), int), none, none, none, learners=2, topic_count=1)
    assert got.ability.tolist() == [[0.0, 0.8]] * 2
    assert got.skill.tolist() == [[[0.0, 0.6]]] * 2


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    one = np.zeros(1)
    with pytest.raises(InvalidModelInput):
        fold_many(np.zeros(1, int), np.zeros((2, 1), int), one, one, one, learners=1, topic_count=1)
