"""Is one model better than another, beyond the luck of which learners were looked at? Paired, by learner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from osler.evaluate.metrics import Floats, floats

MIN_LEARNERS = 30
DRAWS = 2000
CELLS_AT_ONCE = 4_000_000  # draws x learners held in memory: 32 MB

Weight = Literal["rows", "learners"]


@dataclass(frozen=True, slots=True)
class Difference:
    """loss_a - loss_b with its 95 % interval: below 0 where a is better.

    `p_value` is None and `status` is "insufficient" under 30 learners; the interval is given all the same.
    """

    mean: float
    low: float
    high: float
    share_better: float
    learners: int
    p_value: float | None

    @property
    def status(self) -> Literal["ok", "insufficient"]:
        """Whether there are learners enough for a p-value."""
        return "ok" if self.learners >= MIN_LEARNERS else "insufficient"


def per_learner(learner: npt.NDArray[Any], values: npt.ArrayLike) -> tuple[Floats, Floats]:
    """(sums, counts) of the values for each learner, in the order of np.unique."""
    _, code = np.unique(learner, return_inverse=True)
    return floats(np.bincount(code, floats(values))), floats(np.bincount(code))


def resampled_means(sums: Floats, counts: Floats, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """The mean in `draws` samples of learners with replacement: Σ sums / Σ counts in each sample."""
    learners = sums.size
    rng = np.random.default_rng(seed)
    share = np.full(learners, 1.0 / learners)
    block = max(1, CELLS_AT_ONCE // max(1, learners))
    means = np.empty(draws)
    for start in range(0, draws, block):
        stop = min(draws, start + block)
        times = rng.multinomial(learners, share, size=stop - start).astype(np.float64)
        means[start:stop] = (times @ sums) / (times @ counts)
    return means


def paired_by_learner(
    learner: npt.NDArray[Any],
    loss_a: npt.ArrayLike,
    loss_b: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    weight: Weight = "rows",
) -> Difference:
    """The difference of two models' losses on the same rows, by a bootstrap over learners.

    Shapes: three (n,) arrays. `weight` "rows" pools all rows (a learner counts by its answers), "learners" takes the
    unweighted mean over learners. Deterministic by `seed`. The p-value is two-sided.
    Source: Efron & Tibshirani 1993, chapter 13 (percentile interval, clusters resampled whole).
    """
    gap = floats(loss_a) - floats(loss_b)
    sums, counts = per_learner(learner, gap)
    mine = sums / counts
    if weight == "learners":
        sums, counts = mine, np.ones_like(mine)
    means = resampled_means(sums, counts, draws=draws, seed=seed)
    low, high = np.quantile(means, [0.025, 0.975])
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    enough = mine.size >= MIN_LEARNERS
    return Difference(
        mean=float(sums.sum() / counts.sum()),
        low=float(low),
        high=float(high),
        share_better=float((mine < 0).mean()),
        learners=int(mine.size),
        p_value=min(1.0, 2.0 * (tail + 1) / (draws + 1)) if enough else None,
    )


def mean_interval(
    learner: npt.NDArray[Any],
    values: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    weight: Weight = "rows",
) -> tuple[float, float]:
    """The 95 % interval of a mean by a bootstrap over learners."""
    sums, counts = per_learner(learner, values)
    if weight == "learners":
        sums, counts = sums / counts, np.ones_like(sums)
    low, high = np.quantile(resampled_means(sums, counts, draws=draws, seed=seed), [0.025, 0.975])
    return float(low), float(high)


def holm(pvalues: Sequence[float]) -> list[float]:
    """P-values adjusted for having looked at all of them, in the order given (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [1.0] * len(pvalues)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(pvalues)), key=lambda i: pvalues[i])):
        largest = max(largest, min(1.0, (len(pvalues) - rank) * pvalues[index]))
        adjusted[index] = largest
    return adjusted
