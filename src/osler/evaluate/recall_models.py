"""What does each model forecast for one learner's reviews? Models train on a prefix and forecast what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.evaluate.recall_data import LearnerReviews
from osler.science import blend, guard, memory_fit, ridge_logistic, weekly_error
from osler.science.guard import PRIOR_N, PRIOR_PASSED
from osler.science.logits_many import logit_many, sigmoid_many
from osler.science.memory_fit import History
from osler.science.sm2 import sm2_interval_many
from osler.science.waves import waves_of

Floats = npt.NDArray[np.float64]

MOVING_RATE = 0.05
MOVING_START = 0.9

DESCRIPTIONS: Mapping[str, str] = {
    "osler": "served: own fits by rule, both models blended, online bias, guarded by the running mean",
    "constant": "share passed in the training rows",
    "running-mean": "(passed + 9)/(reviews + 10)",
    "moving-average": "rate .05, from .9",
    "sm2": "the brief's SM-2 with R = .9^(t/interval), an assumption: SM-2 has no curve",
    "stated": "the source scheduler's own forecast (SuperMemo-15), where it gave one",
    "fsrs6-default": "FSRS-6, published weights",
    "fsrs6-default-bias": "the same, moved by the learner's online bias",
    "fsrs6-fitted": "FSRS-6 fitted to the training rows",
    "sbd-default": "SBD, published parameters",
    "sbd-fitted": "SBD fitted to the training rows",
    "logistic": "logistic regression of the learner's own on six features of an item's history",
    "blend-default-bias": "both published models blended, with the online bias",
    "blend-fitted": "both fitted models blended",
    "blend-fitted-bias": "both fitted models blended, with the online bias, fits not shrunk",
}


@dataclass(frozen=True, slots=True)
class Online:
    """What does not depend on a training prefix: forecasts made strictly before each row. Shapes: (n,)."""

    forecasts: Mapping[str, Floats]
    default: blend.Folded


def online(reviews: LearnerReviews) -> Online:
    """The models that learn as they go, and those with published parameters."""
    history = reviews.history
    folded = blend.fold(history.item, history.local_days, history.days, history.rating)
    return Online(
        forecasts={
            "running-mean": guard.running_mean(history.passed, history.next_day),
            "moving-average": moving_average(history),
            "sm2": sm2_curve(reviews),
            "stated": reviews.stated,
            "fsrs6-default": folded.by_fsrs,
            "fsrs6-default-bias": biased(logit_many(folded.by_fsrs), history),
            "sbd-default": folded.by_sbd,
            "blend-default-bias": biased(folded.logit, history),
        },
        default=folded,
    )


@dataclass(frozen=True, slots=True)
class WeekAhead:
    """Reviews as their weeks begin: the model's logit with its bias as then, and the learner's τ. Shapes: (n,)."""

    logit: Floats
    tau: Floats


@dataclass(frozen=True, slots=True)
class Trained:
    """Forecasts of a block by models fitted before it, and the parameters Osler serves. Its own is not yet guarded."""

    forecasts: Mapping[str, Floats]
    parameters: blend.Parameters
    ahead: WeekAhead


def trained(reviews: LearnerReviews, cut: int, stop: int) -> Trained:
    """Forecasts of rows cut..stop by the models fitted to the rows before `cut`; no later row is read.

    The bias runs from the first review with the new parameters, as a refit refolds the learner.
    """
    history = reviews.history.until(stop)
    past = history.until(cut)
    free = blend.Parameters(memory_fit.fit_fsrs(past), memory_fit.fit_sbd(past))
    folded = _fold(history, free)
    served = memory_fit.fit_learner(past, fitted=free).parameters
    joint = _fold(history, served).logit
    own = biased(joint, history)
    forecasts = {
        "constant": np.full(stop, _share(past)),
        "fsrs6-fitted": folded.by_fsrs,
        "sbd-fitted": folded.by_sbd,
        "logistic": logistic(history, cut),
        "blend-fitted": sigmoid_many(folded.logit),
        "blend-fitted-bias": biased(folded.logit, history),
        "osler": own,
    }
    ahead = week_ahead(joint, own, history, reviews.local_day[:stop])
    return Trained(
        {name: forecast[cut:] for name, forecast in forecasts.items()},
        served,
        WeekAhead(ahead.logit[cut:], ahead.tau[cut:]),
    )


def week_ahead(joint: Floats, forecast: Floats, history: History, local_day: npt.NDArray[np.int64]) -> WeekAhead:
    """Each row as its week begins, from the joint logit and the forecast that the bias has moved. NaN at first reviews.

    An item's first review of a week needs no more: its memory is as it was, only the bias has moved since.
    """
    week = weekly_error.week_of(local_day)
    rows = np.flatnonzero(np.isfinite(forecast))
    bias = np.log(forecast[rows]) - np.log1p(-forecast[rows]) - joint[rows]
    _, first, of = np.unique(week[rows], return_index=True, return_inverse=True)
    logit = np.full(joint.size, np.nan)
    logit[rows] = joint[rows] + bias[first][of]
    return WeekAhead(logit, weekly_error.scan(week, forecast, history.passed, history.next_day))


def biased(z: Floats, history: History) -> Floats:
    """Forecasts moved by the learner's bias, which learns from each next-day review after it."""
    return blend.scan_bias(z, history.passed, history.next_day)[0]


def moving_average(history: History) -> Floats:
    """Exponentially weighted mean of the next-day outcomes before each row."""
    mean, out = MOVING_START, np.empty(history.rating.size)
    for row, (counts, hit) in enumerate(zip(history.next_day.tolist(), history.passed.tolist(), strict=True)):
        out[row] = mean
        mean += MOVING_RATE * (hit - mean) if counts else 0.0
    return out


def sm2_curve(reviews: LearnerReviews) -> Floats:
    """The R = .9^(t/interval) that goes with the brief's SM-2; NaN at an item's first review."""
    waves, history = waves_of(reviews.history.item), reviews.history
    quality, days = reviews.quality[waves.order], history.local_days[waves.order]
    out = np.full(days.size, np.nan)
    interval = np.zeros(waves.items, dtype=np.int64)
    for number, rows in enumerate(waves):
        interval = interval[: rows.stop - rows.start]
        if number:
            out[rows] = 0.9 ** (days[rows] / interval)
        interval = sm2_interval_many(quality[rows], interval)
    back = np.empty_like(out)
    back[waves.order] = out
    return back


def logistic(history: History, cut: int) -> Floats:
    """Logistic regression (C = 1) of the learner's own next-day rows before `cut`; the constant without any."""
    rows = np.flatnonzero(history.next_day[:cut])
    if rows.size == 0:
        return np.full(history.rating.size, _share(history.until(cut)))
    features = logistic_features(history)
    weights = ridge_logistic.fit(features[rows], history.passed[rows].astype(np.float64))
    return ridge_logistic.predict(features, weights)


def logistic_features(history: History) -> Floats:
    """(n, 7): log days, log(1+reviews), log(1+lapses), last rating = 1, 2, 4, log days x log(1+passes)."""
    reviews, lapses, passes = counts_before(history)
    log_days = np.log(np.maximum(history.local_days, 1.0))
    last = _last_rating(history)
    columns = [log_days, np.log1p(reviews), np.log1p(lapses), last == 1, last == 2, last == 4]
    return np.column_stack([*columns, log_days * np.log1p(passes)]).astype(np.float64)


def counts_before(history: History) -> tuple[Floats, Floats, Floats]:
    """(reviews, failures, passes) of the same item before each row."""
    by_item = np.argsort(history.item, kind="stable")
    fresh = history.is_first[by_item]
    out: list[Floats] = []
    for what in (np.ones(by_item.size), history.rating == 1, history.rating > 1):
        running = np.cumsum(what[by_item]) - what[by_item]
        starts = np.maximum.accumulate(np.where(fresh, np.arange(by_item.size), 0))
        counts = np.empty(by_item.size)
        counts[by_item] = running - running[starts]
        out.append(counts)
    return out[0], out[1], out[2]


def _last_rating(history: History) -> Floats:
    by_item = np.argsort(history.item, kind="stable")
    last = np.zeros(by_item.size)
    last[by_item[1:]] = np.where(history.is_first[by_item[1:]], 0.0, history.rating[by_item[:-1]])
    return last


def _fold(history: History, parameters: blend.Parameters) -> blend.Folded:
    return blend.fold(history.item, history.local_days, history.days, history.rating, parameters=parameters)


def _share(history: History) -> float:
    passed = history.passed[history.next_day]
    return float(passed.mean()) if passed.size else PRIOR_PASSED / PRIOR_N
