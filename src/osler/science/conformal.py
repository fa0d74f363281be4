"""How wide must a score's interval be to hold? Split conformal: a factor learned from past residuals."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt


def conformal_factor(scaled_residuals: npt.ArrayLike, coverage: float = 0.90) -> float | None:
    """The ceil((n+1)·coverage)-th smallest |y − E|/sd: E ± factor·sd then covers at least that share of new learners.

    None when n is too small for the coverage asked (9 or fewer at .90 would need an infinite interval).
    Source: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018.

    >>> conformal_factor([0.1 * i for i in range(1, 20)])
    1.8
    """
    residuals = np.sort(np.abs(np.asarray(scaled_residuals, dtype=np.float64)))
    rank = ceil(round((residuals.size + 1) * coverage, 9))
    return float(residuals[rank - 1]) if 0 < rank <= residuals.size else None


def conformal_factors_by_cohort(
    scaled_residuals: npt.ArrayLike, cohorts: npt.NDArray[np.str_], *, minimum: int = 200, coverage: float = 0.90
) -> dict[str, float]:
    """Cohort → factor for the cohorts with at least `minimum` outcomes; the others take the pooled factor."""
    residuals = np.asarray(scaled_residuals, dtype=np.float64)
    names, counts = np.unique(cohorts, return_counts=True)
    found: dict[str, float] = {}
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        factor = conformal_factor(residuals[cohorts == name], coverage) if count >= minimum else None
        if factor is not None:
            found[str(name)] = factor
    return found
