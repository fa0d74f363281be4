"""How well is a topic remembered, over its items, and how sure is that? Mean recall with coverage and interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.logits import Z90
from osler.science.logits_many import logit_many, sigmoid_many

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

START_TAU = 0.25  # sd of a learner's weekly calibration error in logits, until it is known (`weekly_error`)


@dataclass(frozen=True, slots=True)
class Strengths:
    """Retrieval strength of topics, with its 90 % interval. Shapes: (topics,). NaN where no item was reviewed.

    `variance` is on the probability scale; `n` counts items.
    """

    value: Floats
    variance: Floats
    low: Floats
    high: Floats
    n: Ints


def topic_strengths(
    recall: Floats,
    topic: Ints,
    topics: int,
    *,
    importance: Floats | None = None,
    coverage: float | None = None,
    tau: float | Floats = START_TAU,
) -> Strengths:
    """Σ a R / Σ a over the seen items of each topic, with a 90 % interval.

    Var = (1 - c) s²/n_eff + (dR/dL)² τ²: the first part shrinks with the items seen, and is 0 where all are; the
    second is the error that all items share, and does not. An unknown coverage counts as 0.

    Shapes: `recall`, `importance` (n,), importance 1 where not given; `topic` (n,) codes below `topics`;
    `tau` one for all or (topics,).
    Source: science page, 2.8.
    """
    weight = np.ones_like(recall) if importance is None else importance
    n = np.bincount(topic, minlength=topics)
    whole = np.bincount(topic, weight, minlength=topics)
    whole = np.where(n > 0, whole, np.nan)
    value = np.bincount(topic, weight * recall, minlength=topics) / whole
    spread = np.bincount(topic, weight * (recall - value[topic]) ** 2, minlength=topics) / whole
    slope = np.bincount(topic, weight * recall * (1.0 - recall), minlength=topics) / whole
    n_eff = whole * whole / np.where(n > 0, np.bincount(topic, weight * weight, minlength=topics), 1.0)
    variance = (1.0 - (coverage or 0.0)) * spread / n_eff + (slope * tau) ** 2
    low, high = _logit_intervals(value, np.sqrt(variance))
    return Strengths(value, variance, low, high, n.astype(np.int64))


def _logit_intervals(p: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """`osler.science.intervals.logit_interval` of many: (low, high), NaN where p is."""
    inside = np.clip(p, 1e-4, 1.0 - 1e-4)
    half = Z90 * sd / (inside * (1.0 - inside))
    centre = logit_many(inside)
    return np.minimum(sigmoid_many(centre - half), p), np.maximum(sigmoid_many(centre + half), p)


@dataclass(frozen=True, slots=True)
class TopicStrength:
    """Retrieval strength R_k over the `n` items seen, with its interval; `coverage` is their share (None: unknown).

    `whole` is the strength of the whole topic, where unseen items count with their chance at zero practice; None
    where coverage or that chance is not known.
    """

    value: float
    low: float
    high: float
    n: int
    coverage: float | None
    whole: float | None


def topic_strength(
    recall: Floats,
    importance: Floats | None = None,
    *,
    coverage: float | None = None,
    unseen_chance: float | None = None,
    tau: float = START_TAU,
) -> TopicStrength | None:
    """The strength of one topic; None where no item has been reviewed.

    Shapes: `recall`, `importance` (n,), importance 1 where not given.
    Errors: InvalidModelInput for importances below 0 or all 0, or a coverage outside 0..1.
    Source: `topic_strengths`.
    """
    if recall.size == 0:
        return None
    if importance is not None and (float(importance.min()) < 0 or float(importance.sum()) <= 0):
        raise InvalidModelInput("Importances must not be negative, and not all 0.")
    if coverage is not None and not 0.0 <= coverage <= 1.0:
        raise InvalidModelInput(f"Coverage is a share, not {coverage}.")
    here = np.zeros(recall.size, dtype=np.int64)
    found = topic_strengths(recall, here, 1, importance=importance, coverage=coverage, tau=tau)
    value, low, high = float(found.value[0]), float(found.low[0]), float(found.high[0])
    whole = None
    if coverage is not None and unseen_chance is not None:
        whole = coverage * value + (1.0 - coverage) * unseen_chance
    return TopicStrength(value, low, high, int(recall.size), coverage, whole)
