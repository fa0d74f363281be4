"""What would each model have forecast? Osler's and every baseline, fitted on training rows, on the tested rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.errors import InvalidInput
from osler.evaluate.next_answer_data import Answers, Floats, Ints
from osler.evaluate.next_answer_rows import Split, running_counts
from osler.evaluate.protocol import Progress
from osler.evaluate.report import SERVED
from osler.science import bkt, boosting, logistic, next_answer, next_answer_fit, pfa
from osler.science.features import NAMES
from osler.science.logits_many import sigmoid_many
from osler.science.next_answer import Rows
from osler.science.trees import logits_of

SMOOTHING = 5.0
MIN_ROWS, MIN_LEARNERS = 2_000, 20
FORECAST = NAMES.index("forecast_logit")
WITHOUT_MODEL = "ADF"


@dataclass(frozen=True, slots=True)
class Task:
    """The rows to fit on and those to forecast, in every form that a model needs."""

    answers: Answers
    train: Ints
    test: Ints
    rows: Rows
    train_rows: Rows
    test_rows: Rows
    seed: int

    @property
    def asked(self) -> Ints:
        """The rows that are answers to questions, in order."""
        return np.flatnonzero(~self.answers.is_card)

    @property
    def outcome(self) -> Floats:
        """What came of the training rows."""
        return self.train_rows.correct

    @property
    def base(self) -> float:
        """The share right in training."""
        return float(self.outcome.mean())


def task_of(answers: Answers, split: Split, rows: Rows, seed: int) -> Task:
    """The task of a split. Errors: InvalidInput where a side is empty or training knows one outcome only."""
    asked = ~answers.is_card
    train, test = np.flatnonzero(~split.is_test & asked), np.flatnonzero(split.is_test & asked)
    if not train.size or not test.size or np.ptp(rows.correct[train]) == 0:
        raise InvalidInput("Too few answers: training and test both need rows, and training both outcomes.")
    return Task(answers, train, test, rows, rows.take(train), rows.take(test), seed)


Forecaster = Callable[[Task], Floats]


def _constant(task: Task) -> Floats:
    return np.full(task.test.size, task.base)


def _means(task: Task, group: Ints, groups: int, prior: Floats) -> Floats:
    """The smoothed share right of each group in training, (groups,)."""
    code = group[task.train]
    right = np.bincount(code, task.outcome, minlength=groups)
    return (right + SMOOTHING * prior) / (np.bincount(code, minlength=groups) + SMOOTHING)


def _skill_means(task: Task) -> Floats:
    groups = len(task.answers.topic_sets)
    return _means(task, task.answers.topic_set, groups, np.full(groups, task.base))


def _skill_mean(task: Task) -> Floats:
    return _skill_means(task)[task.answers.topic_set[task.test]]


def _item_mean(task: Task) -> Floats:
    answers = task.answers
    of_item = np.zeros(len(answers.items), dtype=np.int64)
    of_item[answers.item] = answers.topic_set
    means = _means(task, answers.item, of_item.size, _skill_means(task)[of_item])
    return means[answers.item[task.test]]


def _running_learner_mean(task: Task) -> Floats:
    right, wrong = _counts_before(task, np.zeros(task.answers.item.size, dtype=np.int64))
    return (right + SMOOTHING * task.base) / (right + wrong + SMOOTHING)


def _running_learner_skill_mean(task: Task) -> Floats:
    right, wrong = _counts_before(task, task.answers.topic_set)
    prior = _skill_mean(task)
    return (right + SMOOTHING * prior) / (right + wrong + SMOOTHING)


def _counts_before(task: Task, group: Ints) -> tuple[Floats, Floats]:
    """(right, wrong) answers to questions of the group by the same learner before each tested row.

    Cards are no questions: counted in, they would spoil a baseline and flatter what stands beside it.
    """
    answers, asked = task.answers, task.asked
    right, wrong = running_counts(answers.learner[asked], group[asked], answers.correct[asked])
    place = np.searchsorted(asked, task.test)
    return right[place], wrong[place]


def _bkt(task: Task) -> Floats:
    """Fitted on training rows; run from each learner's first answer, forward in time too."""
    answers, asked = task.answers, task.asked
    learner, skill = answers.learner, answers.topic_set
    skills = bkt.fit(learner[task.train], skill[task.train], task.outcome, skills=len(answers.topic_sets))
    found = bkt.predict(skills, learner[asked], skill[asked], answers.correct[asked])
    return found[np.searchsorted(asked, task.test)]


def _pfa(task: Task) -> Floats:
    """With log(1 + count), as raw counts of long practice drown the rest."""
    fitted = pfa.fit(_pfa_design(task, task.train_rows), task.outcome)
    return sigmoid_many(fitted.logits(_pfa_design(task, task.test_rows)))


def _pfa_design(task: Task, rows: Rows) -> logistic.Sparse:
    return pfa.design(
        rows.topic_row, rows.topic, rows.topic_right, rows.topic_wrong,
        rows=rows.item.size, topics=len(task.answers.topics),
    )  # fmt: skip


def _adf(task: Task) -> Floats:
    return sigmoid_many(task.test_rows.features[:, FORECAST])


def _lr_on_features(task: Task) -> Floats:
    mean, spread = next_answer_fit.standardisation(task.train_rows.features)
    fitted = logistic.fit((task.train_rows.features - mean) / spread, task.outcome, c=1.0)
    return sigmoid_many(fitted.logits((task.test_rows.features - mean) / spread))


def _best_lr(task: Task) -> Floats:
    items, topics = len(task.answers.items), len(task.answers.topics)
    fitted = next_answer_fit.fit_best_lr(task.train_rows, items, topics)
    return sigmoid_many(fitted.logits(next_answer_fit.design(task.test_rows, items, topics)))


BASELINES: Mapping[str, tuple[str, Forecaster]] = {
    "constant": ("share right in training", _constant),
    "skill mean": ("share right on the skill, 5 answers at the mean added", _skill_mean),
    "running learner mean": ("the learner's own share right so far, 5 at the mean added", _running_learner_mean),
    "item mean": ("share right on the item, 5 at the skill's mean added", _item_mean),
    "running learner-skill mean": (
        "the learner's share right on the skill so far, 5 at the skill's mean added", _running_learner_skill_mean,
    ),
    "BKT": ("Bayesian knowledge tracing, 25 rounds, guess and slip at most .5", _bkt),
    "PFA": ("performance factors analysis on log(1 + count)", _pfa),
    WITHOUT_MODEL: ("online item response with no trained weights", _adf),
    "LR on the 24": ("logistic regression on the 24 features, C = 1", _lr_on_features),
    "Best-LR": ("Gervet et al. 2020, C = 1", _best_lr),
}  # fmt: skip
PARTS = {
    "Best-LR + the 24": "one half of Osler's blend: Best-LR with the 24 features, C = .1",
    "gradient boosting on the 24": "the other half: 200 trees on the 24 features",
}


def forecasts(
    task: Task, chosen: Sequence[str] | None, progress: Progress
) -> tuple[dict[str, Floats], dict[str, str], list[str]]:
    """(forecasts of the tested rows, what each model is, notes): the chosen baselines, then Osler and its halves.

    Errors: InvalidInput for a baseline that does not exist.
    """
    unknown = set(chosen or ()) - set(BASELINES) - set(PARTS)
    if unknown:
        raise InvalidInput(f"No such baseline: {', '.join(sorted(unknown))}. There are {', '.join(BASELINES)}.")
    names = [name for name in BASELINES if chosen is None or name in chosen]
    made: dict[str, Floats] = {}
    for done, name in enumerate(names):
        progress(name, done, len(names) + len(PARTS))
        made[name] = BASELINES[name][1](task)
    halves, notes = _served(task, progress, len(names))
    made |= halves
    described = {name: text for name, (text, _) in BASELINES.items()} | PARTS
    described[SERVED] = "mean logit of the two halves" if len(halves) > 1 else "online item response alone"
    return made, {name: described[name] for name in made}, notes


def _served(task: Task, progress: Progress, done: int) -> tuple[dict[str, Floats], list[str]]:
    learners = int(np.unique(task.answers.learner[task.train]).size)
    if task.train.size < MIN_ROWS or learners < MIN_LEARNERS:
        text = (
            f"Only {task.train.size} training answers of {learners} learners: Osler serves online item response alone "
            f"until there are {MIN_ROWS} of {MIN_LEARNERS}."
        )
        return {SERVED: _adf(task)}, [text]
    answers, total = task.answers, done + len(PARTS)
    regression_name, trees_name = PARTS
    progress(regression_name, done, total)
    regression = next_answer_fit.fit_regression(task.train_rows, answers.items, answers.topics)
    first = sigmoid_many(next_answer.regression_logits(regression, task.test_rows, answers.items, answers.topics))
    progress(trees_name, done + 1, total)
    boosted = boosting.fit(task.train_rows.features, task.outcome, seed=task.seed)
    second = sigmoid_many(logits_of(boosted, task.test_rows.features))
    return {regression_name: first, trees_name: second, SERVED: next_answer.blend(first, second)}, []
