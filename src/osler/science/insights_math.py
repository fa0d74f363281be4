# SciPy ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Is a difference between two kinds of a learner's answers real? Cluster-robust contrast, shrinkage, many looks.

Answers of one session resemble each other, so the session is what counts: variances are between clusters.
Sources: Liang & Zeger 1986; Welch 1947 with Satterthwaite 1946; Holm 1979; Benjamini & Hochberg 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a contrast: mean residual, its cluster-robust variance, answers, clusters, raw share right."""

    mean: float
    variance: float
    answers: int
    clusters: int
    raw: float


def arm(
    residual: Floats,
    outcome: Floats,
    cluster: npt.NDArray[np.int64],
    also: npt.NDArray[np.int64] | None = None,
) -> Arm | None:
    """Mean of the residuals with variance G/(G−1) Σ_s (Σ_{j in s}(e_j − θ))²/n²; None under two clusters.

    `also` is a second clustering of the same answers (they may resemble each other in two ways): the larger of the
    two variances counts, the clusters told are those of the first.

    Shapes: (n,) arrays; residual e = y − p with p the forecast stored before the answer.
    """
    if residual.size == 0:
        return None
    mean = float(residual.mean())
    found = [_variance(residual - mean, each) for each in (cluster, also) if each is not None]
    groups = found[0][1]
    if min(g for _, g in found) < 2:
        return None
    return Arm(mean, max(v for v, _ in found), residual.size, groups, float(outcome.mean()))


def _variance(centred: Floats, cluster: npt.NDArray[np.int64]) -> tuple[float, int]:
    _, code = np.unique(cluster, return_inverse=True)
    groups = int(code.max()) + 1
    sums = np.bincount(code, centred, minlength=groups)
    return groups / max(1, groups - 1) * float(sums @ sums) / centred.size**2, groups


@dataclass(frozen=True, slots=True)
class Contrast:
    """One arm less the other: difference, its variance, Welch's degrees of freedom, two-sided p."""

    difference: float
    variance: float
    df: float
    p_value: float


def contrast(one: Arm, other: Arm) -> Contrast:
    """Welch's t on clusters with Satterthwaite's degrees of freedom."""
    variance = one.variance + other.variance
    if variance <= 0:
        return Contrast(one.mean - other.mean, 0.0, float(one.clusters + other.clusters - 2), 1.0)
    from scipy.special import stdtr  # noqa: PLC0415  (SciPy is a fifth of the start, and needed at night)

    df = variance**2 / (one.variance**2 / (one.clusters - 1) + other.variance**2 / (other.clusters - 1))
    t = (one.mean - other.mean) / sqrt(variance)
    return Contrast(one.mean - other.mean, variance, df, float(2 * stdtr(df, -abs(t))))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """An effect drawn towards 0 by how large such effects usually are, with its 90 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def shrink(difference: float, variance: float, population_sd: float) -> Shrunk:
    """θ~ = θ τ²/(τ²+Var) ± 1.645 sd, sd² = τ² Var/(τ²+Var): the normal posterior with mean 0 and sd τ before.

    >>> shrink(0.08, 0.0, 0.03).value
    0.08
    """
    prior = population_sd**2
    if prior + variance <= 0:
        return Shrunk(0.0, 0.0, 0.0)
    value = difference * prior / (prior + variance)
    sd = sqrt(prior * variance / (prior + variance))
    return Shrunk(value, value - Z_90 * sd, value + Z_90 * sd)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for all contrasts of one insight, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float], q: float) -> list[bool]:
    """Which hypotheses pass at false discovery rate q, in the order given.

    >>> benjamini_hochberg([0.01, 0.04, 0.02, 0.9], 0.05)
    [True, False, True, False]
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    last = max((rank for rank, i in enumerate(order, 1) if p_values[i] <= q * rank / m), default=0)
    passed = set(order[:last])
    return [i in passed for i in range(m)]
