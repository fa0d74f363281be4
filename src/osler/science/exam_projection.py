"""When will a learner be ready, and what would other minutes do? Seeded draws of learner, learning rate and pace.

Further practice on a topic raises its logit by γ·[ln(1 + n + Δ) − ln(1 + n)], Δ fresh questions: the power law of
practice in the form of PFA (Pavlik, Cen, Koedinger 2009). Both arms of a what-if use the same draws (common random
numbers), so that their difference is not drowned in chance. All of it is a model's estimate, not a promise.
Source: that of `learning_rate`, and of the closed form in `exam_score`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from osler.science.exam_score import ExamState, Floats, exam_score, normal_cdf, pass_chance

DRAWS = 200
HORIZON_DAYS = 180
READY = 0.90


@dataclass(frozen=True, slots=True)
class Practice:
    """How a learner practises; `allocation` (k,) sums to 1. Minutes are per calendar day (active day × consistency).

    `gain` and `gain_sd` (k,) are γ in logits; `attempts` (k,) answers so far; `pace_sd` is on the log scale.
    """

    minutes_per_day: float
    seconds_per_attempt: float
    attempts: Floats
    gain: Floats
    gain_sd: Floats
    allocation: Floats
    pace_sd: float = 0.2


@dataclass(frozen=True, slots=True)
class Draws:
    """Possible learners: shapes `eta` and `gain` (d, k), `seconds` (d,)."""

    eta: Floats
    gain: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True)
class ReadyIn:
    """Days until ready: the quantiles .05/.50/.95 over draws, infinite where that many draws never arrive.

    `by_lower_bound` is the first day on which the lower bound of P(pass) reaches the target; None within the horizon.
    """

    low_days: float
    median_days: float
    high_days: float
    never_share: float
    by_lower_bound: int | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Exam-day figures of two plans and their difference; triples are (mean, 5 %, 95 %) over common draws."""

    score_now: tuple[float, float, float]
    score_then: tuple[float, float, float]
    score_gain: tuple[float, float, float]
    pass_gain: tuple[float, float, float] | None


def draw(state: ExamState, practice: Practice, seed: int, draws: int = DRAWS) -> Draws:
    """Seeded draws of one learner (`eta` of shape (k,)): ability, skills, learning rate, pace."""
    rng = np.random.default_rng(seed)
    topics = state.shares.size
    ability = rng.normal(0, 1, (draws, 1)) * np.sqrt(state.ability_variance)
    skill = rng.normal(0, 1, (draws, topics)) * np.sqrt(state.topic_variance)
    gain = practice.gain + rng.normal(0, 1, (draws, 1)) * practice.gain_sd
    seconds = practice.seconds_per_attempt * np.exp(rng.normal(0, practice.pace_sd, draws))
    return Draws(state.eta + ability + skill, gain, seconds)


def rise_by_practice(practice: Practice, days: float) -> Floats:
    """What γ is multiplied with after so many days at the usual pace: ln(1 + n + Δ) − ln(1 + n) of each topic, (k,)."""
    usual = np.array([practice.seconds_per_attempt])
    return _learned(practice, np.ones((1, practice.attempts.size)), usual, np.array([days]))[0, 0]


def _learned(practice: Practice, gain: Floats, seconds: Floats, days: Floats) -> Floats:
    """The rise of each topic's logit after some days: (t, d, k) for `days` (t,)."""
    fresh = days[:, None, None] * practice.minutes_per_day * 60 / seconds[None, :, None] * practice.allocation
    return gain * (np.log1p(practice.attempts + fresh) - np.log1p(practice.attempts))


def _known(state: ExamState, eta: Floats) -> ExamState:
    """The state of learners whose ability and skills are known: only the draw of items is left to chance."""
    return replace(state, eta=eta, topic_variance=np.zeros_like(eta), ability_variance=np.zeros(eta.shape[:-1]))


def ready_in(
    state: ExamState, practice: Practice, cut: float, *, seed: int, target: float = READY, horizon: int = HORIZON_DAYS
) -> ReadyIn:
    """The first day with P(pass) ≥ target for each draw, as quantiles, and for the lower bound of the forecast."""
    drawn = draw(state, practice, seed)
    days = np.arange(0, horizon + 1, dtype=np.float64)
    score = exam_score(_known(state, drawn.eta + _learned(practice, drawn.gain, drawn.seconds, days)))
    arrived = normal_cdf((score.expected - cut) / score.sd) >= target
    first = np.where(arrived.any(axis=0), arrived.argmax(axis=0).astype(np.float64), np.inf)
    low, median, high = np.quantile(first, [0.05, 0.5, 0.95], method="inverted_cdf")
    usual = np.array([practice.seconds_per_attempt])
    path = state.eta + _learned(practice, practice.gain[None, :], usual, days)[:, 0, :]
    widths = np.broadcast_to(state.topic_variance, path.shape), np.broadcast_to(state.ability_variance, path.shape[:1])
    chance = pass_chance(replace(state, eta=path, topic_variance=widths[0], ability_variance=widths[1]), cut)
    sure = np.flatnonzero(chance.low >= target)
    return ReadyIn(
        float(low), float(median), float(high), float(np.isinf(first).mean()), int(sure[0]) if sure.size else None
    )


def _triple(values: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return float(values.mean()), float(low), float(high)


def what_if(
    state: ExamState, now: Practice, then: Practice, *, days_now: int, days_then: int, cut: float | None, seed: int
) -> WhatIf:
    """What another plan (minutes, topics, exam day) would change on the exam day, on the same draws."""
    scores: list[Floats] = []
    chances: list[Floats] = []
    for practice, days in ((now, days_now), (then, days_then)):
        drawn = draw(state, practice, seed)
        eta = drawn.eta + _learned(practice, drawn.gain, drawn.seconds, np.array([float(days)]))[0]
        score = exam_score(_known(state, eta))
        scores.append(score.expected)
        if cut is not None:
            chances.append(normal_cdf((score.expected - cut) / score.sd))
    gain = _triple(chances[1] - chances[0]) if chances else None
    return WhatIf(_triple(scores[0]), _triple(scores[1]), _triple(scores[1] - scores[0]), gain)
