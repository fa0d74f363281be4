"""May these prior variances be served? Fitted on four learners of five, judged on the fifth by the fold that serves.

The same learners are held back as for the model of the next answer. What is compared are forecasts of the online model
alone, under the start values and under the fitted ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.evaluate.metrics import Floats, log_loss, log_losses
from osler.evaluate.next_answer_models import FORECAST, MIN_LEARNERS, MIN_ROWS
from osler.evaluate.next_answer_rows import TEST_ONE_IN
from osler.evaluate.next_answer_trial import MIN_HELD_BACK, is_held_back
from osler.science import histories, serving_rule
from osler.science.features import Answer
from osler.science.irt import DEFAULTS, Parameters
from osler.science.item_easiness import Encoding
from osler.science.logits_many import sigmoid_many
from osler.science.prior_variances import Trials, fit_variances
from osler.science.voices import most_of_one

MOST_OF_ONE = 300
"""Answers of a learner that are looked at: the prior matters while little else is known."""

LEAST_GAIN = 0.002
"""In log loss. Where the start values are true, one trial in sixteen was ahead by chance, by .0008."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A learner's first answers in order of time, and the easiness that they are folded under."""

    user_id: str
    answers: Sequence[Answer]
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class VariancesTrial:
    """What came of it: the parameters that were fitted, whether they may serve, and why."""

    accepted: bool
    reason: str
    parameters: Parameters = DEFAULTS
    learners: int = 0
    rows: int = 0
    metrics: dict[str, float] | None = None


def tried(learners: Sequence[Taught]) -> VariancesTrial:
    """Fits and judges. From 2,000 answers of 20 learners to fit on, and 30 learners held back."""
    teachers = [one for one in learners if one.answers and not is_held_back(one.user_id)]
    judges = [one for one in learners if one.answers and is_held_back(one.user_id)]
    teachers = _evened(teachers)
    rows = sum(len(one.answers) for one in teachers)
    if rows < MIN_ROWS or len(teachers) < MIN_LEARNERS or len(judges) < MIN_HELD_BACK:
        needed = f"{MIN_ROWS} of {MIN_LEARNERS} learners, and {MIN_HELD_BACK} held back, one in {TEST_ONE_IN}"
        held = f"{rows} answers of {len(teachers)} learners, {len(judges)} held back"
        return VariancesTrial(False, f"too few: {held}; needed {needed}")
    fitted = fit_variances(trials_of(teachers))
    learner = np.repeat(np.arange(len(judges)), [len(one.answers) for one in judges])
    outcome = np.array([float(answer.correct) for one in judges for answer in one.answers])
    before, after = (forecasts(judges, parameters) for parameters in (DEFAULTS, fitted))
    verdict = serving_rule.compare(log_losses(outcome, after), log_losses(outcome, before), learner)
    metrics = {
        "difference": verdict.difference, "difference_upper": verdict.upper, "held_back_learners": float(len(judges)),
        "held_back_rows": float(outcome.size), "log_loss": log_loss(outcome, after),
        "start_log_loss": log_loss(outcome, before),
    }  # fmt: skip
    reason = f"{'ahead' if verdict.ahead else 'not ahead'} of the start values on learners held back"
    worth_it = verdict.difference <= -LEAST_GAIN
    if verdict.ahead and not worth_it:
        reason += ", by too little to fold everybody anew"
    return VariancesTrial(verdict.ahead and worth_it, reason, fitted, len(teachers), rows, metrics)


def _evened(learners: Sequence[Taught]) -> list[Taught]:
    """Their first answers only where a learner would be more than a tenth of all; where fewer than ten teach, all."""
    most = int(most_of_one([len(one.answers) for one in learners])) or MOST_OF_ONE
    return [replace(one, answers=one.answers[:most]) for one in learners]


def trials_of(learners: Sequence[Taught]) -> Trials:
    """The answers as columns. A repeat of an item has the weight that it has when it is served."""
    names = {name: k for k, name in enumerate(sorted({t for one in learners for a in one.answers for t in a.topics}))}
    widest = max((len(answer.topics) for one in learners for answer in one.answers), default=1)
    topics: list[list[int]] = []
    easiness: list[float] = []
    weight: list[float] = []
    for one in learners:
        met: set[str] = set()
        for answer in one.answers:
            codes = [names[topic] for topic in answer.topics]
            topics.append(codes + [-1] * (max(1, widest) - len(codes)))
            easiness.append(one.encoding.prior(answer.item, answer.topics).easiness)
            weight.append(DEFAULTS.repeat_weight if answer.item in met else 1.0)
            met.add(answer.item)
    return Trials(
        learner=np.repeat(np.arange(len(learners)), [len(one.answers) for one in learners]),
        topics=np.array(topics, dtype=np.int64),
        easiness=np.array(easiness),
        correct=np.array([float(answer.correct) for one in learners for answer in one.answers]),
        weight=np.array(weight),
        learners=len(learners),
        topic_count=max(1, len(names)),
    )


def forecasts(learners: Sequence[Taught], parameters: Parameters) -> Floats:
    """What the fold that serves says before each answer, time between answers included."""
    traced: list[list[float]] = []
    for one in learners:
        histories.fold(histories.initial(parameters), one.answers, one.encoding, parameters, traced)
    return sigmoid_many(np.array([row[FORECAST] for row in traced]))
