"""A model is served only where it beats the online model on learners it has never seen."""

from __future__ import annotations

import numpy as np
import pytest

from osler.evaluate.next_answer_trial import is_held_back, tried
from osler.science.features import NAMES
from osler.science.next_answer import Asked
from osler.science.next_answer_fit import collected

FORECAST, RECENT = NAMES.index("forecast_logit"), NAMES.index("recent_fast")


def a_class(learners: int, each: int, *, strength: float, seed: int = 0):
    """Answers whose outcome rests on the moving mean with this strength, which ADF's forecast does not know."""
    rng = np.random.default_rng(seed)
    n = learners * each
    features = rng.normal(scale=0.1, size=(n, len(NAMES)))
    features[:, RECENT] = rng.normal(size=n)
    correct = rng.random(n) < 1.0 / (1.0 + np.exp(-features[:, FORECAST] - strength * features[:, RECENT]))
    asked = [Asked(tuple(row), f"q{i % 50}", ()) for i, row in enumerate(features.tolist())]
    learner = np.repeat(np.arange(learners), each)
    return collected(asked, correct.tolist()), learner, learner % 5 == 0


def test_a_model_that_knows_more_is_accepted_on_learners_held_back():
    rows, learner, held = a_class(200, 40, strength=2.0)
    trial = tried(rows, learner, held)
    assert trial.accepted
    assert trial.metrics is not None
    assert trial.metrics["difference_upper"] < 0
    assert trial.metrics["held_back_learners"] == 40
    assert (trial.learners, trial.rows) == (160, 6_400)


def test_a_model_that_knows_no_more_is_refused():
    rows, learner, held = a_class(200, 20, strength=0.0)
    trial = tried(rows, learner, held)
    assert not trial.accepted
    assert "not ahead" in trial.reason


@pytest.mark.parametrize(("learners", "each"), [(200, 5), (60, 60)])
def test_too_few_answers_or_learners_are_not_even_fitted(learners: int, each: int):
    trial = tried(*a_class(learners, each, strength=2.0))
    assert not trial.accepted
    assert trial.model is None
    assert trial.reason.startswith("too few")


def test_one_learner_in_five_is_held_back_and_always_the_same():
    held = [is_held_back(n) for n in range(2_000)]
    assert held == [is_held_back(n) for n in range(2_000)]
    assert 0.17 < sum(held) / 2_000 < 0.23
