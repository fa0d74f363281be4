"""How well is a topic remembered, over its items, and how sure is that? Mean recall with coverage and interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.intervals import logit_interval
from osler.science.logits_many import logit_many

Floats = npt.NDArray[np.float64]

START_TAU = 0.25  # sd of a learner's calibration error in logits, while under 8 weeks are known
WEEKS_FOR_TAU = 8


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
    """Σ a R / Σ a over the seen items, with a 90 % interval; None where no item has been reviewed.

    Var = (1 - c) s²/n_eff + (dR/dL)² τ²: the first part shrinks with the items seen, and is 0 where all are; the
    second is the error that all items share, and does not. An unknown coverage counts as 0.

    Shapes: `recall`, `importance` (n,), importance 1 where not given.
    Errors: InvalidModelInput for importances below 0 or all 0, or a coverage outside 0..1.
    Source: science page, 2.8.
    """
    weight = np.ones_like(recall) if importance is None else importance
    if recall.size == 0:
        return None
    if float(weight.min()) < 0 or float(weight.sum()) <= 0:
        raise InvalidModelInput("Importances must not be negative, and not all 0.")
    if coverage is not None and not 0.0 <= coverage <= 1.0:
        raise InvalidModelInput(f"Coverage is a share, not {coverage}.")
    share = weight / weight.sum()
    value = float(share @ recall)
    spread = float(share @ (recall - value) ** 2)
    n_eff = 1.0 / float(share @ share)
    slope = float(share @ (recall * (1.0 - recall)))
    sd = math.sqrt((1.0 - (coverage or 0.0)) * spread / n_eff + (slope * tau) ** 2)
    interval = logit_interval(value, sd)
    whole = None
    if coverage is not None and unseen_chance is not None:
        whole = coverage * value + (1.0 - coverage) * unseen_chance
    return TopicStrength(value, interval.low, interval.high, int(recall.size), coverage, whole)


def calibration_tau(weekly_forecast: Floats, weekly_observed: Floats) -> float:
    """τ of a learner: the sd of logit observed - logit forecast over weeks; the start value under 8 weeks.

    Shapes: (weeks,) mean forecast and share passed of each week.
    """
    if weekly_forecast.size < WEEKS_FOR_TAU:
        return START_TAU
    return float(np.std(logit_many(weekly_observed) - logit_many(weekly_forecast), ddof=1))
