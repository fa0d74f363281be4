"""How hard is a topic, seen through few learners? Means drawn together by a beta prior fitted over all topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """A beta distribution by its mean and its strength (as many learners as it weighs)."""

    mean: float
    strength: float


def fit_prior(topic_means: npt.ArrayLike, learners: npt.ArrayLike) -> BetaPrior:
    """Mean and strength of the topics' true means, by moments; each learner's mean is one observation.

    The spread over topics beyond what the learners' own spread explains sets the strength, kept in 2 to 1,000.
    Source: Kleinman 1973 (moments for the beta-binomial).
    """
    means, n = np.asarray(topic_means, dtype=np.float64), np.asarray(learners, dtype=np.float64)
    if means.size < 2 or float(n.sum()) <= 0:
        return BetaPrior(float(means.mean()) if means.size else 0.5, 10.0)
    centre = float((means * n).sum() / n.sum())
    within = centre * (1 - centre) * float((1 / np.maximum(n, 1)).mean())
    between = max(1e-9, float(means.var(ddof=1)) - within)
    strength = centre * (1 - centre) / between - 1
    return BetaPrior(centre, float(np.clip(strength, 2.0, 1000.0)))


@dataclass(frozen=True, slots=True)
class Difficulty:
    """1 − the shrunk mean accuracy, with its 90 % interval by a bootstrap over learners, and the learners behind it."""

    value: float
    low: float
    high: float
    learners: int


def difficulty(learner_means: Sequence[float], prior: BetaPrior, *, seed: int, draws: int = 1000) -> Difficulty | None:
    """One topic's difficulty; `learner_means` holds each learner's own share right of first attempts, once."""
    means = np.asarray(learner_means, dtype=np.float64)
    n = means.size
    if n == 0:
        return None

    def shrunk(total: Floats) -> Floats:
        return 1 - (total + prior.mean * prior.strength) / (n + prior.strength)

    drawn = means[np.random.default_rng(seed).integers(0, n, (draws, n))].sum(axis=1)
    low, high = np.quantile(shrunk(drawn), [0.05, 0.95])
    return Difficulty(float(shrunk(np.asarray(means.sum()))), float(low), float(high), n)
