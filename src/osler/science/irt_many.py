"""The online item response of many learners at once: the i-th answer of every learner is one vectorised step.

The same arithmetic as `osler.science.irt.update`, equal to 1e-12; for nightly refolds and for replaying whole logs.
Sources: those of `osler.science.irt`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.irt import DEFAULTS, Parameters
from osler.science.logits import PROBIT
from osler.science.logits_many import sigmoid_many

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folded:
    """States after all answers: `ability` (learners, 2) and `skill` (learners, topics, 2), each mean and variance.

    `probability` (n,) are the forecasts made before each answer, in the order of the rows.
    """

    ability: Floats
    skill: Floats
    probability: Floats


def fold_many(
    learner: Ints,
    topics: Ints,
    easiness: Floats,
    correct: Floats,
    weight: Floats,
    *,
    learners: int,
    topic_count: int,
    parameters: Parameters = DEFAULTS,
) -> Folded:
    """Fold rows that stand in order of time within each learner, from the priors.

    Shapes: `learner`, `easiness`, `correct`, `weight` (n,); `topics` (n, K) codes, -1 where an item has fewer than K.
    Learners in blocks keep memory at learners × topics × 16 bytes. Time between answers is not part of this fold.
    Errors: InvalidModelInput where the shapes do not belong together.
    """
    if not (topics.ndim == 2 and learner.size == topics.shape[0] == easiness.size == correct.size == weight.size):
        raise InvalidModelInput("Rows of a fold must be of one length, and topics two-dimensional.")
    ability = np.tile([0.0, parameters.ability_variance], (learners, 1))
    # One more topic than there are: what stands for "no further topic" is written to, never read.
    skill = np.tile([0.0, parameters.skill_variance], (learners, topic_count + 1, 1))
    probability = np.empty(learner.size)
    for rows in _waves(learner):
        who, which = learner[rows], topics[rows]
        used = which >= 0
        count = np.maximum(used.sum(axis=1), 1).astype(np.float64)
        mean, variance = skill[who[:, None], which, 0] * used, skill[who[:, None], which, 1] * used
        eta = easiness[rows] + ability[who, 0] + mean.sum(axis=1) / count
        total = ability[who, 1] + variance.sum(axis=1) / (count * count)
        probability[rows] = sigmoid_many(eta / np.sqrt(1.0 + PROBIT * total))
        q = sigmoid_many(eta)
        curvature = weight[rows] * q * (1.0 - q)
        den = 1.0 + curvature * total
        gradient, curvature = weight[rows] * (correct[rows] - probability[rows]) / den, curvature / den
        own = ability[who, 1]
        ability[who, 0] += own * gradient
        ability[who, 1] = own - own * own * curvature + parameters.ability_drift
        part = variance / count[:, None]
        skill[who[:, None], which, 0] = mean + part * gradient[:, None]
        skill[who[:, None], which, 1] = variance - part * part * curvature[:, None] + parameters.skill_drift
    return Folded(ability, skill[:, :topic_count], probability)


def _waves(learner: Ints) -> list[Ints]:
    """Row numbers of all first answers, of all second ones, and so on."""
    order = np.argsort(learner, kind="stable")
    begins = np.flatnonzero(np.diff(learner[order], prepend=-1) != 0)
    sizes = np.diff(np.append(begins, learner.size))
    place = np.arange(learner.size) - np.repeat(begins, sizes)
    by_place = np.argsort(place, kind="stable")
    cuts = np.cumsum(np.bincount(place))[:-1] if learner.size else np.zeros(0, dtype=np.int64)
    return [np.asarray(rows, dtype=np.int64) for rows in np.split(order[by_place], cuts)] if learner.size else []


def widen_many(variance: Floats, prior_variance: float, per_day: float, days: Floats) -> Floats:
    """`irt.widen` of many states. Shapes: (n,)."""
    return np.maximum(variance, np.minimum(prior_variance, variance + per_day * np.maximum(days, 0.0)))
