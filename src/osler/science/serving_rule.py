"""May a trained model be served? Only where it beats what stands without it, beyond the luck of which learners came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
MIN_OUTCOMES = 100
MIN_RARER = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean loss of the candidate less that of the rival with its upper 95 % bound; `ahead` when that is below 0."""

    difference: float
    upper: float
    learners: int

    @property
    def ahead(self) -> bool:
        """Whether the candidate wins beyond chance."""
        return self.upper < 0


def enough_outcomes(y: npt.ArrayLike) -> bool:
    """At least 100 outcomes with 20 of the rarer class: under that nothing is trained, let alone served."""
    outcome = np.asarray(y, dtype=np.float64)
    ones = int(outcome.sum())
    return outcome.size >= MIN_OUTCOMES and min(ones, outcome.size - ones) >= MIN_RARER


def compare(
    candidate_loss: npt.ArrayLike, rival_loss: npt.ArrayLike, learner: npt.ArrayLike, *, seed: int = 0
) -> Verdict:
    """The paired difference of two losses on the same rows, bootstrapped by learner; the bound is the 97.5 % point.

    Each learner has one weight, whatever the number of their rows (snapshots). Source: Efron & Tibshirani 1993.
    """
    gap = np.asarray(candidate_loss, dtype=np.float64) - np.asarray(rival_loss, dtype=np.float64)
    _, code = np.unique(np.asarray(learner), return_inverse=True)
    own = np.bincount(code, gap) / np.bincount(code)
    rng = np.random.default_rng(seed)
    means = np.array([own[rng.integers(0, own.size, own.size)].mean() for _ in range(DRAWS)])
    return Verdict(float(own.mean()), float(np.quantile(means, 0.975)), own.size)


def may_serve(
    y: npt.ArrayLike,
    candidate: npt.ArrayLike,
    rivals: dict[str, npt.ArrayLike],
    learner: npt.ArrayLike,
    *,
    seed: int = 0,
) -> tuple[bool, dict[str, Verdict]]:
    """Whether the candidate's Brier score beats every rival's on outcomes that no model has seen, and the verdicts.

    `rivals` are forecasts by name, the base rate among them. Too few outcomes: not served, and no verdicts.
    """
    if not enough_outcomes(y):
        return False, {}
    outcome = np.asarray(y, dtype=np.float64)
    loss = (np.asarray(candidate, dtype=np.float64) - outcome) ** 2
    verdicts = {
        name: compare(loss, (np.asarray(p, dtype=np.float64) - outcome) ** 2, learner, seed=seed)
        for name, p in rivals.items()
    }
    return all(verdict.ahead for verdict in verdicts.values()), verdicts
