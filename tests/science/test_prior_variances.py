"""Prior variances by empirical Bayes: planted ones are found, bounds hold, and the same answers give the same fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.science.irt import DEFAULTS, AbilityState, SkillState, Trial, fold
from osler.science.prior_variances import HIGHEST, LOWEST, Trials, fit_variances, log_likelihood


def population(ability, skill, *, learners=400, topics=6, answers=60, seed=0):
    """Answers of learners whose abilities and skills truly vary by these variances."""
    rng = np.random.default_rng(seed)
    learner = np.repeat(np.arange(learners), answers)
    topic = rng.integers(0, topics, learner.size)
    easiness = rng.normal(0.5, 0.8, learner.size)
    level = rng.normal(0, np.sqrt(ability), learners)[learner]
    level += rng.normal(0, np.sqrt(skill), (learners, topics))[learner, topic]
    correct = (rng.random(learner.size) < 1 / (1 + np.exp(-easiness - level))).astype(np.float64)
    return Trials(learner, topic[:, None], easiness, correct, np.ones(learner.size), learners, topics)


STILL = replace(DEFAULTS, ability_drift=0.0, skill_drift=0.0)


@pytest.mark.parametrize(("ability", "skill"), [(0.8, 0.6), (2.0, 0.3), (0.1, 0.1)])
def test_planted_variances_are_found(ability, skill):
    found = fit_variances(population(ability, skill), STILL)
    assert found.ability_variance == pytest.approx(ability, rel=0.3)
    assert found.skill_variance == pytest.approx(skill, rel=0.3)


def test_where_topics_differ_more_than_learners_it_forecasts_better_than_the_truth_would():
    trials = population(0.5, 1.5)
    found = fit_variances(trials, STILL)
    truth = replace(STILL, ability_variance=0.5, skill_variance=1.5)
    assert found.ability_variance < 0.5 < 1.5 < found.skill_variance
    assert log_likelihood(trials, found) > log_likelihood(trials, truth) > log_likelihood(trials, STILL)


def test_the_likelihood_is_that_of_the_fold_one_by_one():
    trials = population(1.0, 1.0, learners=3, answers=20)
    expected = 0.0
    for learner in range(3):
        own = np.flatnonzero(trials.learner == learner)
        listed = [Trial(float(trials.easiness[i]), (str(trials.topics[i, 0]),), bool(trials.correct[i])) for i in own]
        _, _, made = fold(listed, AbilityState(), {}, DEFAULTS)
        expected += sum(np.log(p if one.correct else 1 - p) for p, one in zip(made, listed, strict=True))
    assert log_likelihood(trials, DEFAULTS) == pytest.approx(expected, abs=1e-9)
    assert SkillState().variance == DEFAULTS.skill_variance


def test_the_fit_is_no_less_likely_than_the_start_and_the_same_each_time():
    trials = population(1.6, 0.2, learners=60, answers=30, seed=3)
    found = fit_variances(trials)
    assert log_likelihood(trials, found) >= log_likelihood(trials, DEFAULTS)
    assert fit_variances(trials) == found
    assert replace(found, ability_variance=0.8, skill_variance=0.6) == DEFAULTS  # nothing else is touched


def test_few_answers_hardly_move_it_and_it_stays_within_bounds():
    few = population(5.0, 5.0, learners=2, answers=2)
    found = fit_variances(few)
    assert found.ability_variance == pytest.approx(DEFAULTS.ability_variance, rel=0.8)
    wild = population(60.0, 60.0, learners=100, answers=40)
    assert fit_variances(wild).ability_variance <= HIGHEST
    same = population(0.0, 0.0, learners=300, answers=80)
    assert LOWEST <= fit_variances(same, STILL).ability_variance < 0.1
    with pytest.raises(InvalidModelInput):
        fit_variances(population(1.0, 1.0, learners=0))
