"""Does the practice curve forecast? γ against γ = 0, forward in time within each training learner.

Learner, item and ln(1 + answers on the topic) are fitted on each learner's first answers; then the learner's state is
frozen, and the last answers are forecast with and without the growth that γ promises. Points per hour may order gaps
only where γ wins here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osler.evaluate.bootstrap import Difference, paired_by_learner
from osler.evaluate.metrics import log_loss, log_losses
from osler.evaluate.next_answer_data import Answers, Floats, Ints
from osler.evaluate.next_answer_rows import Bools, Encodings, encode, rows_of, state_after
from osler.science import logistic
from osler.science.features import opening_topic, situation
from osler.science.histories import Histories
from osler.science.irt import DEFAULTS
from osler.science.learning_rate import DEFAULT_GAMMA, log_growth
from osler.science.logistic import Sparse
from osler.science.logits import PROBIT
from osler.science.logits_many import sigmoid_many

EARLY_SHARE = 0.8
MIN_LATER = 200


@dataclass(frozen=True, slots=True)
class PracticeCheck:
    """The fitted γ, the log loss with it and without, and the difference (below 0 where γ wins)."""

    gamma: float
    later_answers: int
    log_loss_with: float
    log_loss_without: float
    difference: Difference

    @property
    def wins(self) -> bool:
        """Whether γ is ahead beyond the interval, and above 0."""
        return self.gamma > 0.0 and self.difference.high < 0.0


def early_rows(answers: Answers) -> Bools:
    """The first four fifths of each learner's answers."""
    bounds = answers.bounds()
    size = np.diff(bounds)
    place = np.arange(answers.item.size) - np.repeat(bounds[:-1], size)
    return place < np.repeat(np.ceil(EARLY_SHARE * size), size)


def fit_gamma(answers: Answers, rows: Bools, prior: Ints) -> float:
    """γ of all topics from a regression with learner, item and ln(1 + answers on the topic so far)."""
    where = np.flatnonzero(rows)
    n, learners, items = where.size, len(answers.learners), len(answers.items)
    row = np.tile(np.arange(n, dtype=np.int64), 2)
    column = np.concatenate([answers.learner[where], learners + answers.item[where]])
    practised = np.log1p(prior[where])[:, None]
    cells = Sparse(row, column, np.ones(2 * n), (n, learners + items), practised)
    return float(logistic.fit(cells, answers.correct[where], c=1.0).weights[-1])


def fit_gammas(answers: Answers) -> dict[int, tuple[float, int]]:
    """γ of each topic with the answers it rests on, from a regression with learner, item and a column for each topic.

    An answer on several topics counts to each in equal parts. Gives {topic code: (γ, answers)}, not shrunk.
    """
    rows = rows_of(answers, np.zeros((answers.item.size, 0)))
    n, learners, items, topics = answers.item.size, len(answers.learners), len(answers.items), len(answers.topics)
    share = 1.0 / np.maximum(np.bincount(rows.topic_row, minlength=n), 1)[rows.topic_row]
    practised = np.log1p(np.expm1(rows.topic_right) + np.expm1(rows.topic_wrong)) * share
    every = np.arange(n, dtype=np.int64)
    cells = Sparse(
        np.concatenate([every, every, rows.topic_row]),
        np.concatenate([answers.learner, learners + answers.item, learners + items + rows.topic]),
        np.concatenate([np.ones(2 * n), practised]),
        (n, learners + items + topics),
        np.zeros((n, 0)),
    )
    weights = logistic.fit(cells, answers.correct, c=1.0).weights[learners + items :]
    counts = np.bincount(rows.topic, minlength=topics)
    return {k: (float(weights[k]), int(counts[k])) for k in range(topics) if counts[k]}


def check(answers: Answers, is_training: Bools, seed: int) -> PracticeCheck | None:
    """The comparison on training learners; None where fewer than 200 answers come later."""
    _, prior = answers.prior_counts()
    early = early_rows(answers)
    later = np.flatnonzero(is_training & ~early & ~answers.is_card)
    if later.size < MIN_LATER:
        return None
    gamma = fit_gamma(answers, is_training & early, prior)
    encodings = encode(answers, is_training & early)
    eta, variance, n_then = _frozen(answers, later, early, encodings)
    scale = 1.0 / np.sqrt(1.0 + PROBIT * variance)
    without = sigmoid_many(eta * scale)
    growing = sigmoid_many((eta + gamma * log_growth(n_then, prior[later])) * scale)
    y, learner = answers.correct[later], answers.learner[later]
    gap = paired_by_learner(learner, log_losses(y, growing), log_losses(y, without), seed=seed)
    return PracticeCheck(gamma, int(later.size), log_loss(y, growing), log_loss(y, without), gap)


def _frozen(answers: Answers, later: Ints, early: Bools, encodings: Encodings) -> tuple[Floats, Floats, Floats]:
    """(eta, variance, answers on the topic at the freeze) of each later row, from the learner's state at the freeze."""
    bounds = answers.bounds()
    fresh = opening_topic(DEFAULTS)
    eta, variance, n_then = (np.empty(later.size) for _ in range(3))
    states: dict[int, Histories] = {}
    for place, row in enumerate(later.tolist()):
        learner = int(answers.learner[row])
        encoding = encodings.of(learner, in_training=True)
        if learner not in states:
            start, stop = int(bounds[learner]), int(bounds[learner + 1])
            states[learner] = state_after(answers, start, start + int(early[start:stop].sum()), encoding, DEFAULTS)
        state, names = states[learner], answers.topic_sets[int(answers.topic_set[row])]
        topics = [state.topics.get(name, fresh) for name in names]
        now = situation(state.learner, topics, encoding.prior(int(answers.item[row]), names))
        eta[place], variance[place] = now.eta, now.variance
        n_then[place] = sum(topic.right + topic.wrong for topic in topics) / max(1, len(topics))
    return eta, variance, n_then


def as_section(found: PracticeCheck | None) -> dict[str, dict[str, float | bool]]:
    """The check as rows of a report."""
    if found is None:
        return {}
    return {
        "gamma": {"fitted": found.gamma, "start": DEFAULT_GAMMA, "wins_forward_in_time": found.wins},
        "log_loss": {"with": found.log_loss_with, "without": found.log_loss_without, "answers": found.later_answers},
        "difference": {
            "mean": found.difference.mean, "low": found.difference.low, "high": found.difference.high,
        },
    }  # fmt: skip
