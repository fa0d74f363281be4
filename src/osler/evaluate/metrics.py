"""How good is a set of forecasts? Scores of probabilities against outcomes, in NumPy alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLIP = 1e-4
ECE_BINS = 15
MIN_WITHIN = 20  # answers of a learner from which an AUC of their own says something


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one model on one set of rows; `auc` is None where only one outcome occurs.

    `base_rate` is the mean outcome; `brier_skill` is 1 - Brier/(base_rate (1 - base_rate)), None without both outcomes.
    `slope` and `intercept` are those of the calibration line (1 and 0 when perfect), None where it is not identified.
    """

    n: int
    base_rate: float
    log_loss: float
    auc: float | None
    brier: float
    brier_skill: float | None
    ece: float
    slope: float | None
    intercept: float | None


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of a calibration table: mean forecast, share that came true, rows."""

    forecast: float
    observed: float
    n: int


def floats(values: npt.ArrayLike) -> Floats:
    """The values as one float64 array."""
    return np.asarray(values, dtype=np.float64)


def clip(p: npt.ArrayLike) -> Floats:
    """Probabilities held inside [1e-4, 1 - 1e-4], as before every log loss."""
    return np.clip(floats(p), CLIP, 1.0 - CLIP)


def logit(p: npt.ArrayLike) -> Floats:
    """ln(p/(1-p)) after `clip`."""
    inside = clip(p)
    return np.log(inside) - np.log1p(-inside)


def log_losses(y: npt.ArrayLike, p: npt.ArrayLike) -> Floats:
    """The log loss of each row (nats); forecasts are clipped first."""
    inside, outcome = clip(p), floats(y)
    return -(outcome * np.log(inside) + (1.0 - outcome) * np.log1p(-inside))


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean log loss (nats); the score that decides."""
    return float(log_losses(y, p).mean())


def brier(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Mean squared error of the forecasts (Brier 1950)."""
    return float(np.mean((floats(p) - floats(y)) ** 2))


def brier_skill(y: npt.ArrayLike, p: npt.ArrayLike) -> float | None:
    """1 - Brier over that of the base rate; None where only one outcome occurs."""
    base = float(floats(y).mean())
    return 1.0 - brier(y, p) / (base * (1.0 - base)) if 0.0 < base < 1.0 else None


def auc(y: npt.ArrayLike, p: npt.ArrayLike) -> float | None:
    """Area under the ROC curve, ties counted half (Mann-Whitney); None where only one outcome occurs."""
    outcome = floats(y) > 0.5
    positives = int(outcome.sum())
    negatives = outcome.size - positives
    if positives == 0 or negatives == 0:
        return None
    _, inverse, counts = np.unique(floats(p), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2.0
    rank_sum = float(mean_rank[inverse][outcome].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def equal_mass_bins(p: npt.ArrayLike, bins: int = ECE_BINS) -> Ints:
    """The bin of each forecast, 0 to bins - 1: equal numbers of rows, but equal forecasts are never split."""
    forecast = floats(p)
    order = np.sort(forecast)
    first = np.searchsorted(order, forecast, side="left")
    last = np.searchsorted(order, forecast, side="right") - 1
    return np.asarray((first + last) * bins // (2 * max(1, forecast.size)), dtype=np.int64)


def calibration_table(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = ECE_BINS) -> tuple[CalibrationBin, ...]:
    """Mean forecast against what came true in equal-mass bins; empty bins are left out."""
    where, outcome, forecast = equal_mass_bins(p, bins), floats(y), floats(p)
    counts = np.bincount(where, minlength=bins)
    observed = np.bincount(where, outcome, minlength=bins)
    expected = np.bincount(where, forecast, minlength=bins)
    return tuple(
        CalibrationBin(float(expected[b] / counts[b]), float(observed[b] / counts[b]), int(counts[b]))
        for b in np.flatnonzero(counts)
    )


def ece(y: npt.ArrayLike, p: npt.ArrayLike, bins: int = ECE_BINS) -> float:
    """Expected calibration error over equal-mass bins: mean distance of forecast and outcome, weighted by rows."""
    table = calibration_table(y, p, bins)
    return sum(b.n * abs(b.forecast - b.observed) for b in table) / max(1, sum(b.n for b in table))


def calibration_line(y: npt.ArrayLike, p: npt.ArrayLike, rounds: int = 50) -> tuple[float, float]:
    """(slope, intercept) of the logistic regression of outcome on logit forecast (Cox 1958): (1, 0) when calibrated.

    Errors: gives (nan, nan) where it is not identified: one outcome only, a constant forecast, perfect separation.
    """
    x, outcome = logit(p), floats(y)
    unidentified = (float("nan"), float("nan"))
    if outcome.size == 0 or outcome.min() == outcome.max() or float(np.ptp(x)) < 1e-12:
        return unidentified
    design = np.column_stack([x, np.ones_like(x)])
    beta = np.array([1.0, 0.0])
    for _ in range(rounds):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30.0, 30.0)))
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design
        if np.linalg.cond(curvature) > 1e12:
            return unidentified
        step = np.linalg.solve(curvature, design.T @ (outcome - chance))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            return float(beta[0]), float(beta[1])
    return unidentified


def auc_within(learner: npt.NDArray[Any], y: npt.ArrayLike, p: npt.ArrayLike, min_n: int = MIN_WITHIN) -> float | None:
    """Mean AUC within learner, over learners with at least `min_n` rows and both outcomes; None if there is none.

    Pooled AUC rewards telling learners apart; this does not.
    """
    outcome, forecast = floats(y), floats(p)
    areas = [
        area
        for rows in rows_by_learner(learner).values()
        if rows.size >= min_n and (area := auc(outcome[rows], forecast[rows])) is not None
    ]
    return float(np.mean(areas)) if areas else None


def rows_by_learner(learner: npt.NDArray[Any]) -> dict[str, Ints]:
    """The row numbers of each learner, in order."""
    names, code = np.unique(learner, return_inverse=True)
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(names.size + 1))
    return {
        str(name): np.asarray(order[edges[i] : edges[i + 1]], dtype=np.int64) for i, name in enumerate(names.tolist())
    }


def rmse_bins(
    y: npt.ArrayLike, p: npt.ArrayLike, elapsed_days: npt.ArrayLike, reviews: npt.ArrayLike, lapses: npt.ArrayLike
) -> float:
    """RMSE(bins) of recall forecasts: distance of mean forecast and outcome in bins of history, weighted by rows.

    Bins on (days since the last review >= 1, reviews before, lapses before), each rounded on a geometric grid.
    Never to be read alone: forecasting the bin's mean makes it small.
    Source: open-spaced-repetition/srs-benchmark.
    """
    days, count, failed = floats(elapsed_days), floats(reviews), floats(lapses)
    by_lapses = np.where(failed == 0, 0.0, _geometric(failed, 1.65, 1.73, digits=0))
    history = [_geometric(days, 2.48, 3.62, digits=2), _geometric(count, 1.99, 1.89, digits=0), by_lapses]
    _, where = np.unique(np.column_stack(history), axis=0, return_inverse=True)
    where = where.ravel()
    counts = np.bincount(where)
    gap = (np.bincount(where, floats(p)) - np.bincount(where, floats(y))) / counts
    return float(np.sqrt(np.sum(counts * gap**2) / counts.sum()))


def _geometric(values: Floats, scale: float, ratio: float, *, digits: int) -> Floats:
    powers = np.floor(np.log(np.maximum(values, 1.0)) / math.log(ratio))
    return np.round(scale * np.exp(powers * math.log(ratio)), digits)


@dataclass(frozen=True, slots=True)
class IntervalScores:
    """What intervals were worth: the share that held what came, their mean width, and the mean interval score.

    The score is the width, and 2/(1 - level) times the distance for what came outside: less is better, and neither
    wide nor overconfident intervals get away with it.
    """

    n: int
    coverage: float
    mean_width: float
    score: float


def interval_scores(
    y: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, *, level: float = 0.90
) -> IntervalScores:
    """Coverage, mean width and interval score of intervals that claim `level`. Shapes: (n,) arrays.

    Errors: ValueError when there is no row, or an interval's ends are the wrong way round.
    Source: Gneiting & Raftery 2007, section 6.2.
    """
    came, below, above = floats(y), floats(low), floats(high)
    if came.size == 0 or bool((below > above).any()):
        raise ValueError("Intervals to score need rows, and ends in order.")
    outside = np.maximum(below - came, 0.0) + np.maximum(came - above, 0.0)
    width = above - below
    return IntervalScores(
        n=came.size,
        coverage=float((outside == 0.0).mean()),
        mean_width=float(width.mean()),
        score=float((width + 2.0 / (1.0 - level) * outside).mean()),
    )


def score(y: npt.ArrayLike, p: npt.ArrayLike) -> Scores:
    """All scores of one model on one set of rows. Errors: ValueError when there is no row."""
    outcome, forecast = floats(y), floats(p)
    if outcome.size == 0:
        raise ValueError("No rows to score.")
    slope, intercept = calibration_line(outcome, forecast)
    identified = np.isfinite(slope)
    return Scores(
        n=outcome.size,
        base_rate=float(outcome.mean()),
        log_loss=log_loss(outcome, forecast),
        auc=auc(outcome, forecast),
        brier=brier(outcome, forecast),
        brier_skill=brier_skill(outcome, forecast),
        ece=ece(outcome, forecast),
        slope=slope if identified else None,
        intercept=intercept if identified else None,
    )
