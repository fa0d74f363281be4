"""Prior variances serve only where they forecast better on learners held back: planted spread wins, chance does not."""

from __future__ import annotations

import numpy as np
import pytest

from osler.evaluate.next_answer_trial import is_held_back
from osler.evaluate.prior_variances_trial import Taught, trials_of, tried
from osler.science import histories
from osler.science.features import Answer
from osler.science.irt import DEFAULTS
from osler.science.irt_many import fold_many
from osler.science.item_easiness import Encoding
from osler.science.logits import sigmoid

ENCODING = Encoding(0.65, {f"t{k}": 0.6 for k in range(4)})


def class_of(ability, skill, *, learners=220, answers=40, seed=0):
    """Learners whose levels truly vary by these variances."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(learners):
        level, skills = rng.normal(0, ability**0.5), rng.normal(0, skill**0.5, 4)
        own = []
        for i in range(answers):
            k = int(rng.integers(4))
            right = bool(rng.random() < sigmoid(0.6 + level + skills[k]))
            own.append(Answer(f"q{n}-{i}", (f"t{k}",), right, 60.0 * i))
        made.append(Taught(f"{seed}-{n}", own, ENCODING))
    return made


def test_a_class_that_lies_far_apart_is_served_by_its_own_variances():
    trial = tried(class_of(4.0, 0.05))
    assert trial.accepted, trial.reason
    assert trial.parameters.ability_variance > 2.0
    assert trial.parameters.skill_variance < 0.3
    assert trial.metrics is not None
    assert trial.metrics["log_loss"] < trial.metrics["start_log_loss"]
    assert trial.metrics["held_back_learners"] >= 30


def test_learners_who_are_all_alike_are_served_by_small_variances():
    trial = tried(class_of(0.0, 0.0, seed=1))
    assert trial.accepted
    assert max(trial.parameters.ability_variance, trial.parameters.skill_variance) < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_promoted_where_the_start_values_are_true(seed):
    trial = tried(class_of(DEFAULTS.ability_variance, DEFAULTS.skill_variance, seed=10 + seed))
    assert not trial.accepted
    assert trial.reason.startswith("not ahead") or trial.reason.endswith("by too little to fold everybody anew")


def test_a_small_class_is_not_judged():
    trial = tried(class_of(4.0, 0.05, learners=100))
    assert (trial.accepted, trial.parameters) == (False, DEFAULTS)
    assert trial.reason.startswith("too few")


def test_one_of_very_many_answers_teaches_no_more_than_a_tenth():
    learners = class_of(1.0, 0.5, answers=12)
    honest = tried(learners)
    number = next(n for n in range(1_000, 2_000) if not is_held_back(f"0-{n}"))
    dice = [Answer(f"q{i}", ("t0",), i % 2 == 0, 60.0 * i) for i in range(100_000)]
    mixed = tried([*learners, Taught(f"0-{number}", dice, ENCODING)])
    assert mixed.rows - honest.rows <= mixed.rows / 10
    assert mixed.learners == honest.learners + 1


def test_who_is_held_back_teaches_nothing():
    learners = class_of(2.0, 0.5)
    silenced = [
        Taught(one.user_id, [Answer(a.item, a.topics, not a.correct, a.at) for a in one.answers], one.encoding)
        if is_held_back(one.user_id)
        else one
        for one in learners
    ]
    assert tried(learners).parameters == tried(silenced).parameters


def test_the_columns_are_folded_as_the_answers_are_one_by_one():
    answers = [
        Answer("q1", ("t0",), True), Answer("q2", ("t0", "t1"), False), Answer("q1", ("t0",), True),
        Answer("q3", (), True),
    ]  # fmt: skip
    trials = trials_of([Taught("a", answers, ENCODING)])
    made = fold_many(trials.learner, trials.topics, trials.easiness, trials.correct, trials.weight,
                     learners=trials.learners, topic_count=trials.topic_count)  # fmt: skip
    after = histories.fold(histories.initial(), answers, ENCODING)
    assert made.ability[0].tolist() == pytest.approx([after.learner.ability.mean, after.learner.ability.variance])
    assert made.skill[0, 0, 0] == pytest.approx(after.topics["t0"].skill.mean)
