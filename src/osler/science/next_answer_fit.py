"""Which weights forecast the next answer best? Fits the regression, the trees and their blend from many answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.science import boosting, logistic
from osler.science.features import NAMES
from osler.science.logistic import Fit, Sparse
from osler.science.next_answer import COUNTS, NextAnswerModel, Regression, Rows, TopicWeights

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRENGTH = 0.1


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


def fit_best_lr(rows: Rows, items: int, topics: int, *, c: float = 1.0) -> Fit:
    """Best-LR alone, the baseline. Source: Gervet, Koedinger, Schneider, Mitchell 2020."""
    return logistic.fit(design(rows, items, topics), rows.correct, c=c)


def fit_regression(rows: Rows, items: Sequence[Any], topics: Sequence[Any], *, c: float = STRENGTH) -> Regression:
    """Best-LR plus the 24 standardised features; names of items and topics become strings."""
    mean, spread = standardisation(rows.features)
    standard = (rows.features - mean) / spread
    found = logistic.fit(design(rows, len(items), len(topics), standard), rows.correct, c=c)
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
    rows: Rows, items: Sequence[Any], topics: Sequence[Any], *, with_trees: bool = True, seed: int = 0
) -> NextAnswerModel:
    """The served model. The features of `rows` must rest on encodings that leave each learner's own fold out.

    Errors: Misconfigured where trees are asked for and the `fit` extra is absent; the regression alone needs none.
    """
    boosted = boosting.fit(rows.features, rows.correct, seed=seed) if with_trees else None
    return NextAnswerModel(NAMES, fit_regression(rows, items, topics), boosted)
