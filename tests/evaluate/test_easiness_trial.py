"""Counts of easiness serve only where they forecast better than taking all questions to be alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from osler.evaluate.easiness_trial import tried
from osler.evaluate.prior_variances_trial import Taught
from osler.science.features import Answer
from osler.science.item_easiness import Encoding, ItemPrior
from osler.science.logits import sigmoid

TRUE = np.random.default_rng(3).normal(0.6, 1.5, 40)


def said(easiness: np.ndarray) -> Encoding:
    return Encoding(0.65, {"t": 0.6}, {f"q{n}": ItemPrior(float(e), 0.6, 3.0) for n, e in enumerate(easiness)})


def class_of(learners: int, encoding: Encoding) -> list[Taught]:
    made = []
    for number in range(learners):
        rng = np.random.default_rng(number)
        level = rng.normal(0.0, 0.9)
        asked = rng.permutation(40)[:30]
        own = [Answer(f"q{n}", ("t",), bool(rng.random() < sigmoid(level + float(TRUE[n]))), 60.0 * k)
               for k, n in enumerate(asked)]  # fmt: skip
        made.append(Taught(f"learner-{number}", own, encoding))
    return made


def test_true_easiness_wins_and_a_turned_one_loses() -> None:
    learners = class_of(20, said(TRUE))
    trial = tried(learners)
    assert trial.accepted, trial
    turned = tried([replace(one, encoding=said(1.2 - TRUE)) for one in learners])
    assert not turned.accepted
    assert turned.metrics is not None
    assert turned.metrics["difference"] > 0


def test_what_says_nothing_does_not_win() -> None:
    trial = tried(class_of(20, Encoding(0.65)))
    assert (trial.accepted, trial.reason) == (False, "not ahead of taking all questions to be equally easy")


def test_nine_learners_are_no_judges() -> None:
    assert tried(class_of(9, said(TRUE))).reason == "too few: 9 learners; needed 10"
