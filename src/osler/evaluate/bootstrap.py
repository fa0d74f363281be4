"""Is one model better than another, beyond the luck of which learners were looked at? Paired, by learner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from osler.evaluate.metrics import ECE_BINS, Floats, auc, ece, equal_mass_bins, floats

MIN_LEARNERS = 30
DRAWS = 2000
AUC_DRAWS = 500
AUC_BINS = 500
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
    return np.concatenate([(times @ sums) / (times @ counts) for times in _samples(sums.size, draws, seed)])


def _samples(learners: int, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks of samples of learners with replacement: how often each is in, (draws of the block, learners)."""
    rng = np.random.default_rng(seed)
    share = np.full(learners, 1.0 / learners)
    block = max(1, CELLS_AT_ONCE // max(1, learners))
    for start in range(0, draws, block):
        yield rng.multinomial(learners, share, size=min(draws - start, block)).astype(np.float64)


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


def auc_interval(
    learner: npt.NDArray[Any], y: npt.ArrayLike, p: npt.ArrayLike, *, draws: int = AUC_DRAWS, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % interval of the pooled AUC by a bootstrap over learners; None where only one outcome occurs.

    The resamples' areas are of forecasts in 500 bins of equal mass, moved by what that changes in the area itself:
    exact ranks for each of them would take a minute a report, and change the interval in its fourth digit.
    """
    outcome, forecast = floats(y), floats(p)
    area = auc(outcome, forecast)
    if area is None:
        return None
    where = equal_mass_bins(forecast, AUC_BINS)
    _, code = np.unique(learner, return_inverse=True)
    learners = int(code.max()) + 1
    cell = code * AUC_BINS + where
    right, wrong = (
        np.bincount(cell, side, minlength=learners * AUC_BINS).reshape(learners, AUC_BINS)
        for side in (outcome, 1.0 - outcome)
    )
    binned = float(_areas(right.sum(axis=0)[None], wrong.sum(axis=0)[None])[0])
    areas = np.concatenate([_areas(times @ right, times @ wrong) for times in _samples(learners, draws, seed)])
    low, high = np.nanquantile(areas, [0.025, 0.975]) + (area - binned)
    return max(0.0, float(low)), min(1.0, float(high))


def _areas(right: Floats, wrong: Floats) -> Floats:
    """The AUC of each row of counts by bin; NaN where one outcome is absent. Shapes: (draws, bins)."""
    pairs = right.sum(axis=1) * wrong.sum(axis=1)
    won = (right * (np.cumsum(wrong, axis=1) - wrong / 2.0)).sum(axis=1)
    return np.where(pairs > 0, won / np.maximum(pairs, 1e-300), np.nan)


def ece_interval(
    learner: npt.NDArray[Any], y: npt.ArrayLike, p: npt.ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of the calibration error by a bootstrap over learners, the bins kept as they are.

    A resample's error is larger than the estimate as a rule, as it has the noise of the sample twice: the draws are
    moved so that their median is the estimate (Efron & Tibshirani 1993, chapter 10), and held at 0 or more.
    """
    gap, where = floats(p) - floats(y), equal_mass_bins(p)
    _, code = np.unique(learner, return_inverse=True)
    learners = int(code.max()) + 1
    cell = code * ECE_BINS + where
    sums = np.bincount(cell, gap, minlength=learners * ECE_BINS).reshape(learners, ECE_BINS)
    counts = np.bincount(code, minlength=learners).astype(np.float64)
    found = np.concatenate([
        np.abs(times @ sums).sum(axis=1) / (times @ counts) for times in _samples(learners, draws, seed)
    ])  # fmt: skip
    low, high = np.quantile(found + (ece(y, p) - np.median(found)), [0.025, 0.975])
    return max(0.0, float(low)), float(high)


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
