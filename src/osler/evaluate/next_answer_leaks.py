"""Does any forecast know what it is asked? Checks that fail where an outcome reaches its own features.

Each takes the function it puts to the test, so that its own sharpness is tested on planted leaks.
Shuffling labels and scoring held-out learners does not show encodings that know their own row; these do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from osler.evaluate.metrics import auc
from osler.evaluate.next_answer_data import Answers, Floats, Ints
from osler.evaluate.next_answer_rows import Bools, Encodings, Split, answers_of, encode, features_of
from osler.science import histories, logistic
from osler.science.logits_many import sigmoid_many

Encode = Callable[[Answers, Bools], Encodings]
Featurise = Callable[[Answers, Split, Encodings], Floats]

LEARNERS = 300
PROBES = 5
TOLERANCE = 0.02


def head(answers: Answers, split: Split, learners: int = LEARNERS) -> tuple[Answers, Split]:
    """The answers of the first so many learners: enough for the checks."""
    bounds = answers.bounds()
    stop = int(bounds[min(learners, bounds.size - 1)])
    return _cut(answers, stop), replace(split, is_test=split.is_test[:stop])


def _cut(answers: Answers, stop: int) -> Answers:
    return replace(
        answers, learner=answers.learner[:stop], item=answers.item[:stop], topic_set=answers.topic_set[:stop],
        correct=answers.correct[:stop], at=answers.at[:stop], is_card=answers.is_card[:stop],
    )  # fmt: skip


def _flipped(answers: Answers, rows: Ints | Bools) -> Answers:
    correct = answers.correct.copy()
    correct[rows] = 1.0 - correct[rows]
    return replace(answers, correct=correct)


def _probes(rows: Ints, rng: np.random.Generator) -> Ints:
    return rng.choice(rows, size=min(PROBES, rows.size), replace=False) if rows.size else rows


def encodings_ignore_own_labels(
    answers: Answers, split: Split, rng: np.random.Generator, encoder: Encode = encode
) -> bool:
    """Flip all labels of a training learner: what its rows are encoded with must not move."""
    is_training = ~split.is_test
    before = encoder(answers, is_training)
    for row in _probes(np.flatnonzero(is_training), rng).tolist():
        learner = int(answers.learner[row])
        after = encoder(_flipped(answers, answers.learner == learner), is_training)
        if before.of(learner, in_training=True) != after.of(learner, in_training=True):
            return False
    return True


def features_ignore_own_label(
    answers: Answers, split: Split, rng: np.random.Generator,
    encoder: Encode = encode, featurise: Featurise = features_of,
) -> bool:  # fmt: skip
    """Flip the label of one row: the features of the learner's rows up to it must not move."""
    is_training = ~split.is_test
    before = featurise(answers, split, encoder(answers, is_training))
    every = np.arange(answers.item.size, dtype=np.int64)
    for row in _probes(every, rng).tolist():
        if not split.by_learner and not is_training[row]:
            continue  # a tested row is in no encoding; forward in time its learner's earlier rows are, rightly
        changed = _flipped(answers, np.array([row]))
        after = featurise(changed, split, encoder(changed, is_training))
        mine = np.flatnonzero(answers.learner[: row + 1] == answers.learner[row])
        if not np.array_equal(before[mine], after[mine]):
            return False
    return True


def later_answers_change_nothing(
    answers: Answers, split: Split, rng: np.random.Generator, featurise: Featurise = features_of
) -> bool:
    """Take a learner's last answers away: features of the earlier ones must not move."""
    encodings = encode(answers, ~split.is_test)
    before = featurise(answers, split, encodings)
    bounds: list[int] = answers.bounds().tolist()
    for _ in range(PROBES):
        last = int(rng.integers(1, len(bounds)))
        stop = int(rng.integers(bounds[last - 1] + 1, bounds[last] + 1))
        after = featurise(_cut(answers, stop), replace(split, is_test=split.is_test[:stop]), encodings)
        if not np.array_equal(before[:stop], after):
            return False
    return True


def auc_of_permuted_labels(
    answers: Answers, split: Split, rng: np.random.Generator,
    encoder: Encode = encode, featurise: Featurise = features_of,
) -> float:  # fmt: skip
    """The AUC of a regression on the features when labels are permuted over all rows, rows split in five: near .5."""
    everything = replace(split, is_test=np.zeros_like(split.is_test))
    shuffled = replace(answers, correct=rng.permutation(answers.correct))
    features = featurise(shuffled, everything, encoder(shuffled, ~everything.is_test))
    spread = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
    fold = rng.integers(0, 5, answers.item.size)
    chance = np.empty(answers.item.size)
    for f in range(5):
        fitted = logistic.fit(standard[fold != f], shuffled.correct[fold != f], c=1.0)
        chance[fold == f] = sigmoid_many(fitted.logits(standard[fold == f]))
    return auc(shuffled.correct, chance) or 0.5


def is_near_chance(area: float, outcome: Floats) -> bool:
    """Within .02 of .5, or within three standard errors where there are few rows."""
    right = float(outcome.sum())
    wrong = outcome.size - right
    error = np.sqrt((outcome.size + 1.0) / (12.0 * max(right, 1.0) * max(wrong, 1.0)))
    return bool(abs(area - 0.5) <= max(TOLERANCE, 3.0 * error))


def rows_are_unique(answers: Answers) -> bool:
    """No two rows are one answer: (learner, item, instant) occurs once where instants are known."""
    if not answers.has_time:
        return True
    keys = np.column_stack([answers.learner.astype(np.float64), answers.item.astype(np.float64), answers.at])
    return np.unique(keys, axis=0).shape[0] == keys.shape[0]


def batch_is_one_by_one(answers: Answers, split: Split, rng: np.random.Generator) -> bool:
    """Folding all answers of a learner at once gives what folding them one by one gives."""
    encodings = encode(answers, ~split.is_test)
    bounds = answers.bounds()
    for learner in rng.integers(0, bounds.size - 1, PROBES).tolist():
        mine = answers_of(answers, int(bounds[learner]), int(bounds[learner + 1]))
        encoding = encodings.full
        at_once: list[list[float]] = []
        whole = histories.fold(histories.initial(), mine, encoding, trace=at_once)
        state = histories.initial()
        for answer, features in zip(mine, at_once, strict=True):
            item, topics, is_card = answer.item, answer.topics, answer.is_card
            if histories.read(state, item, topics, encoding, at=answer.at, is_card=is_card) != features:
                return False
            state = histories.update(state, answer, encoding)
        if state != whole:
            return False
    return True


def run(answers: Answers, split: Split, seed: int) -> dict[str, dict[str, bool | float]]:
    """All checks on the first learners, by name, with whether each passed."""
    some, part = head(answers, split)
    rng = np.random.default_rng(seed)
    area = auc_of_permuted_labels(some, part, rng)
    return {
        "encodings ignore the learner's own labels": {"passed": encodings_ignore_own_labels(some, part, rng)},
        "features ignore their own label": {"passed": features_ignore_own_label(some, part, rng)},
        "later answers change nothing": {"passed": later_answers_change_nothing(some, part, rng)},
        "permuted labels are not forecast": {"passed": is_near_chance(area, some.correct), "auc": area},
        "one row an answer": {"passed": rows_are_unique(answers)},
        "batch fold is one-by-one fold": {"passed": batch_is_one_by_one(some, part, rng)},
    }
