"""Will the next answer be right? A logistic regression and boosted trees, blended as the mean of their logits.

The regression is Best-LR (Gervet et al. 2020) plus the 24 features of `osler.science.features`; the trees see the 24.
A model is a frozen value of plain numbers: it forecasts without scikit-learn, and is stored as JSON.
Sources: Best-LR, Gervet, Koedinger, Schneider, Mitchell 2020; boosting, Friedman 2001; mean of logits, Genest and Zidek
1986.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science import trees
from osler.science.features import NAMES, TopicHistory
from osler.science.logits import CLIP, logit, sigmoid
from osler.science.logits_many import logit_many, sigmoid_many
from osler.science.trees import Boosted

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COUNTS = tuple(NAMES.index(name) for name in ("log_right", "log_wrong", "log_item_right", "log_item_wrong"))
LARGEST_WEIGHT = 1e3
MANY = 16


class TopicWeights(msgspec.Struct, frozen=True):
    """A topic's own weight, and those of its log(1 + right) and log(1 + wrong)."""

    own: float
    right: float
    wrong: float


class Regression(msgspec.Struct, frozen=True):
    """Best-LR plus the standardised features. An item or topic that is not named has weight 0.

    `counts` are the weights of the learner's and the item's log(1 + right), log(1 + wrong); `mean` and `spread`
    standardise the 24 features before `weights`.
    """

    intercept: float
    items: dict[str, float]
    topics: dict[str, TopicWeights]
    counts: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]


class NextAnswerModel(msgspec.Struct, frozen=True):
    """The served model; `boosted` is None where trees were not fitted. `features` names what it was trained on."""

    features: tuple[str, ...]
    regression: Regression
    boosted: Boosted | None = None


class Asked(NamedTuple):
    """One answer before it is given: the 24 features, the item, its topics with the learner's history on each."""

    features: Sequence[float]
    item: str
    topics: Sequence[tuple[str, TopicHistory]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Many answers with what was known before each: the form that fits and backtests use.

    Shapes: `features` (n, 24), `item` (n,) codes; `topic_row`, `topic` (m,) name each row's topics by code, with
    `topic_right`, `topic_wrong` the log(1 + count) of each; `correct` (n,).
    """

    features: Floats
    item: Ints
    topic_row: Ints
    topic: Ints
    topic_right: Floats
    topic_wrong: Floats
    correct: Floats

    def take(self, rows: Ints) -> Rows:
        """Some of the rows, in the order given."""
        place = np.full(self.item.size, -1, dtype=np.int64)
        place[rows] = np.arange(rows.size)
        kept = place[self.topic_row] >= 0
        return Rows(
            self.features[rows], self.item[rows], place[self.topic_row[kept]], self.topic[kept],
            self.topic_right[kept], self.topic_wrong[kept], self.correct[rows],
        )  # fmt: skip


def check(model: NextAnswerModel) -> None:
    """Refuse a model that was made for other features or holds numbers out of range. Errors: InvalidModelInput."""
    if model.features != NAMES:
        raise InvalidModelInput("The model was trained on other features than those computed here.")
    part = model.regression
    if len(part.counts) != len(COUNTS) or {len(part.mean), len(part.spread), len(part.weights)} != {len(NAMES)}:
        raise InvalidModelInput("The model's weights do not match its features.")
    topical = [number for topic in part.topics.values() for number in (topic.own, topic.right, topic.wrong)]
    numbers = np.array([part.intercept, *part.items.values(), *topical, *part.counts, *part.mean, *part.weights])
    if not (np.isfinite(numbers).all() and np.abs(numbers).max() <= LARGEST_WEIGHT):
        raise InvalidModelInput("The model holds a weight that is not finite or absurdly large.")
    if not all(0.0 < spread <= LARGEST_WEIGHT for spread in part.spread):
        raise InvalidModelInput("The model's spreads must be above 0.")
    if model.boosted is not None:
        trees.check(model.boosted, len(NAMES))


def regression_logit(
    part: Regression, features: Sequence[float], item: str, topics: Sequence[tuple[str, TopicHistory]]
) -> float:
    """The regression's forecast of one answer, in logits."""
    total = part.intercept + part.items.get(item, 0.0)
    for name, history in topics:
        weights = part.topics.get(name)
        if weights is not None:
            total += weights.own + weights.right * log1p(history.right) + weights.wrong * log1p(history.wrong)
    for weight, index in zip(part.counts, COUNTS, strict=True):
        total += weight * features[index]
    for value, mean, spread, weight in zip(features, part.mean, part.spread, part.weights, strict=True):
        total += weight * ((value - mean) / spread)
    return total


def predict(
    model: NextAnswerModel, features: Sequence[float], item: str, topics: Sequence[tuple[str, TopicHistory]]
) -> float:
    """The chance that one answer will be right, 0 to 1; without trees, the regression's alone.

    `features` are the 24 from before the answer; `topics` the item's topics with their histories.
    """
    part = regression_logit(model.regression, features, item, topics)
    if model.boosted is None:
        return min(max(sigmoid(part), CLIP), 1.0 - CLIP)
    return _mean_of_logits(part, trees.logit_of(model.boosted, features))


def predict_each(model: NextAnswerModel, asked: Sequence[Asked]) -> list[float]:
    """`predict` of several answers, to the last bit; the trees are walked by all at once where there are many."""
    if model.boosted is None or len(asked) < MANY:
        return [predict(model, one.features, one.item, one.topics) for one in asked]
    by_trees: list[float] = trees.logits_of(model.boosted, np.array([one.features for one in asked])).tolist()
    parts = [regression_logit(model.regression, one.features, one.item, one.topics) for one in asked]
    return [_mean_of_logits(part, grown) for part, grown in zip(parts, by_trees, strict=True)]


def _mean_of_logits(first: float, second: float) -> float:
    return sigmoid((logit(sigmoid(first)) + logit(sigmoid(second))) / 2.0)


def regression_logits(part: Regression, rows: Rows, items: Sequence[Any], topics: Sequence[Any]) -> Floats:
    """The regression's forecasts of many answers, in logits; `items` and `topics` name the codes of `rows`."""
    none = TopicWeights(0.0, 0.0, 0.0)
    by_item = np.array([part.items.get(str(name), 0.0) for name in items])
    by_topic = np.array([msgspec.structs.astuple(part.topics.get(str(name), none)) for name in topics]).reshape(-1, 3)
    weights = by_topic[rows.topic]
    topical = weights[:, 0] + weights[:, 1] * rows.topic_right + weights[:, 2] * rows.topic_wrong
    total = part.intercept + by_item[rows.item]
    total = total + np.bincount(rows.topic_row, topical, minlength=rows.item.size)
    standard = (rows.features - np.array(part.mean)) / np.array(part.spread)
    return np.asarray(
        total + rows.features[:, COUNTS] @ np.array(part.counts) + standard @ np.array(part.weights), dtype=np.float64
    )


def predict_many(model: NextAnswerModel, rows: Rows, items: Sequence[Any], topics: Sequence[Any]) -> Floats:
    """The chances of many answers, (n,): the same as `predict` one by one, to rounding."""
    part = regression_logits(model.regression, rows, items, topics)
    if model.boosted is None:
        return np.clip(sigmoid_many(part), CLIP, 1.0 - CLIP)
    return blend(sigmoid_many(part), sigmoid_many(trees.logits_of(model.boosted, rows.features)))


def blend(first: Floats, second: Floats) -> Floats:
    """The mean of two forecasts on the logit scale."""
    return sigmoid_many((logit_many(first) + logit_many(second)) / 2.0)
