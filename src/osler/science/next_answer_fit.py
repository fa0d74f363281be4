"""Which weights forecast the next answer best? Fits the regression, the trees and their blend from many answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.science import boosting, logistic
from osler.science.features import NAMES
from osler.science.logistic import Fit, Sparse
from osler.science.next_answer import COUNTS, Asked, NextAnswerModel, Regression, Rows, TopicWeights
from osler.science.voices import most_of_one

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRENGTH = 0.1
MOST_ANSWERS = 2_000  # a learner counts at most as so many answers: nobody's hand weighs more on what all are served


def design(rows: Rows, items: int, topics: int, standard: Floats | None = None) -> Sparse:
    """The sparse design of Best-LR: item, topic, topic × log right, topic × log wrong, four counts; then `standard`.

    Shapes: `standard` (n, q), further dense columns. Columns in that order: items + 3 topics + 4 + q.
    """
    n = rows.item.size
    ones = np.ones(rows.topic_row.size)
    counts = rows.features[:, COUNTS]
    pieces: list[tuple[Ints, Ints, Floats]] = [
        (np.arange(n, dtype=np.int64), rows.item, np.ones(n)),
        (rows.topic_row, items + rows.topic, ones),
        (rows.topic_row, items + topics + rows.topic, rows.topic_right),
        (rows.topic_row, items + 2 * topics + rows.topic, rows.topic_wrong),
    ]
    row, column = (np.concatenate([piece[i] for piece in pieces]).astype(np.int64) for i in (0, 1))
    value = np.concatenate([piece[2] for piece in pieces])
    dense = counts if standard is None else np.hstack([counts, standard])
    return Sparse(row, column, value, (n, items + 3 * topics), dense)


def standardisation(features: Floats) -> tuple[Floats, Floats]:
    """(mean, spread) of each feature; a constant feature has spread 1, so that it stays 0."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    return mean, np.where(spread > 1e-12, spread, 1.0)


def learner_weights(learner: Ints) -> Floats | None:
    """The weight of each row: 1, or less where its learner has more than 2,000 of them, or than a tenth of what counts.

    None where nobody has. Under ten learners the 2,000 hold alone. Shapes: (n,) codes gives (n,).

    >>> learner_weights(np.repeat([0, 1], [8_000, 10]))[[0, -1]].tolist()
    [0.25, 1.0]
    """
    answers = np.bincount(learner)
    most = min(MOST_ANSWERS, most_of_one(answers[answers > 0]) or MOST_ANSWERS)
    return np.minimum(1.0, most / answers[learner]) if answers.max(initial=0) > most else None


@dataclass(frozen=True, slots=True)
class Collected:
    """Answers one by one, taken together for a fit: `rows` by code, and the names of the codes."""

    rows: Rows
    items: list[str]
    topics: list[str]


def collected(asked: Sequence[Asked], correct: Sequence[bool]) -> Collected:
    """Rows for a fit from what the live fold knew before each answer: the same numbers, as arrays."""
    items: dict[str, int] = {}
    topics: dict[str, int] = {}
    item = [items.setdefault(one.item, len(items)) for one in asked]
    on = [(row, name, history) for row, one in enumerate(asked) for name, history in one.topics]
    rows = Rows(
        np.array([one.features for one in asked], dtype=np.float64).reshape(-1, len(NAMES)),
        np.array(item, dtype=np.int64),
        np.array([row for row, _, _ in on], dtype=np.int64),
        np.array([topics.setdefault(name, len(topics)) for _, name, _ in on], dtype=np.int64),
        np.log1p(np.array([history.right for _, _, history in on], dtype=np.float64)),
        np.log1p(np.array([history.wrong for _, _, history in on], dtype=np.float64)),
        np.array(correct, dtype=np.float64),
    )
    return Collected(rows, list(items), list(topics))


def joined(parts: Sequence[Collected]) -> Collected:
    """The answers of several collections as one, in their order, under codes of their own."""
    items: dict[str, int] = {}
    topics: dict[str, int] = {}
    item, topic, row, above = list[Ints](), list[Ints](), list[Ints](), 0
    for part in parts:
        item.append(np.array([items.setdefault(name, len(items)) for name in part.items], np.int64)[part.rows.item])
        topic.append(
            np.array([topics.setdefault(name, len(topics)) for name in part.topics], np.int64)[part.rows.topic]
        )
        row.append(part.rows.topic_row + above)
        above += part.rows.item.size
    each = [part.rows for part in parts]
    rows = Rows(
        np.concatenate([one.features for one in each]), np.concatenate(item), np.concatenate(row),
        np.concatenate(topic), np.concatenate([one.topic_right for one in each]),
        np.concatenate([one.topic_wrong for one in each]), np.concatenate([one.correct for one in each]),
    )  # fmt: skip
    return Collected(rows, list(items), list(topics))


def fit_best_lr(rows: Rows, items: int, topics: int, *, c: float = 1.0) -> Fit:
    """Best-LR alone, the baseline. Source: Gervet, Koedinger, Schneider, Mitchell 2020."""
    return logistic.fit(design(rows, items, topics), rows.correct, c=c)


def fit_regression(
    rows: Rows, items: Sequence[Any], topics: Sequence[Any], *, c: float = STRENGTH, weight: Floats | None = None
) -> Regression:
    """Best-LR plus the 24 standardised features; names of items and topics become strings."""
    mean, spread = standardisation(rows.features)
    standard = (rows.features - mean) / spread
    found = logistic.fit(design(rows, len(items), len(topics), standard), rows.correct, c=c, weight=weight)
    weights = found.weights
    by_item, rest = weights[: len(items)], weights[len(items) :]
    own, right, wrong = rest[: 3 * len(topics)].reshape(3, len(topics))
    counts, on_features = rest[3 * len(topics) : -len(NAMES)], rest[-len(NAMES) :]
    seen_items, seen_topics = np.unique(rows.item).tolist(), np.unique(rows.topic).tolist()
    return Regression(
        intercept=found.intercept,
        items={str(items[i]): float(by_item[i]) for i in seen_items},
        topics={str(topics[k]): TopicWeights(float(own[k]), float(right[k]), float(wrong[k])) for k in seen_topics},
        counts=tuple(counts.tolist()),
        mean=tuple(mean.tolist()),
        spread=tuple(spread.tolist()),
        weights=tuple(on_features.tolist()),
    )


def fit(
    rows: Rows,
    items: Sequence[Any],
    topics: Sequence[Any],
    *,
    with_trees: bool = True,
    seed: int = 0,
    weight: Floats | None = None,
) -> NextAnswerModel:
    """The served model. The features of `rows` must rest on encodings that leave each learner's own fold out.

    `weight` (n,) is that of each row (`learner_weights`).
    Errors: Misconfigured where trees are asked for and the `fit` extra is absent; the regression alone needs none.
    """
    boosted = boosting.fit(rows.features, rows.correct, seed=seed, weight=weight) if with_trees else None
    return NextAnswerModel(NAMES, fit_regression(rows, items, topics, weight=weight), boosted)
