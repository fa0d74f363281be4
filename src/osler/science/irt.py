"""How able is this learner, and how much more or less so on each topic? Online Bayesian item response.

A learner answers an item right with probability sigmoid(easiness + ability + mean skill over the item's topics).
Ability and skills are held as independent normals and updated by assumed density filtering, O(topics of the item).
Sources: item response, Lord 1980; assumed density filtering, Minka 2001; the π/8 rule, MacKay 1992.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import msgspec

from osler.science.logits import PROBIT, sigmoid


class AbilityState(msgspec.Struct, frozen=True, gc=False):
    """The learner's general level in logits, as mean and variance."""

    mean: float = 0.0
    variance: float = 0.8


class SkillState(msgspec.Struct, frozen=True, gc=False):
    """What the learner has on one topic beyond the general level, in logits, as mean and variance."""

    mean: float = 0.0
    variance: float = 0.6


@dataclass(frozen=True, slots=True)
class Parameters:
    """Start values, drift per attempt and per day (variances, logits²), and the weight of a repeated question.

    `card_mean` is the share of cards passed by a learner of whom nothing is known, `card_weight` what the review of a
    card weighs beside the answer to a question.
    """

    ability_variance: float = 0.8
    skill_variance: float = 0.6
    ability_drift: float = 0.004
    skill_drift: float = 0.02
    ability_growth_per_day: float = 0.0005
    skill_growth_per_day: float = 0.002
    repeat_weight: float = 0.5
    card_mean: float = 0.85
    card_weight: float = 0.05


DEFAULTS = Parameters()


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of one answer: `eta` logits with `variance`, and the chance that it is right."""

    eta: float
    variance: float
    probability: float


@dataclass(frozen=True, slots=True)
class Updated:
    """The states after one answer, beside the forecast that was made before it."""

    ability: AbilityState
    skills: tuple[SkillState, ...]
    forecast: Forecast


def gains(eta: float, variance: float, correct: bool, weight: float) -> tuple[float, float, float]:
    """(forecast p, gradient g, curvature W/den) of one answer: the arithmetic that every form of the update shares."""
    p = sigmoid(eta / sqrt(1.0 + PROBIT * variance))
    q = sigmoid(eta)
    curvature = weight * q * (1.0 - q)
    den = 1.0 + curvature * variance
    return p, weight * ((1.0 if correct else 0.0) - p) / den, curvature / den


def combine(easiness: float, ability: AbilityState, skills: Sequence[SkillState]) -> tuple[float, float]:
    """(eta, variance) of an answer to an item on these topics; an item without topics rests on ability alone."""
    count = len(skills)
    if count == 1:
        return easiness + ability.mean + skills[0].mean, ability.variance + skills[0].variance
    if not count:
        return easiness + ability.mean, ability.variance
    mean = sum(skill.mean for skill in skills) / count
    return easiness + ability.mean + mean, ability.variance + sum(s.variance for s in skills) / (count * count)


def forecast(easiness: float, ability: AbilityState, skills: Sequence[SkillState]) -> Forecast:
    """The chance of a right answer, ability and skills integrated out.

    >>> forecast(0.0, AbilityState(), [SkillState()]).probability
    0.5
    """
    eta, variance = combine(easiness, ability, skills)
    return Forecast(eta, variance, sigmoid(eta / sqrt(1.0 + PROBIT * variance)))


def update(
    ability: AbilityState,
    skills: Sequence[SkillState],
    *,
    easiness: float,
    correct: bool,
    weight: float = 1.0,
    parameters: Parameters = DEFAULTS,
) -> Updated:
    """The states after one answer to an item on `skills`' topics, and the forecast made before it.

    Units: logits. `weight` 1 for a first attempt, `parameters.repeat_weight` for a repeat.
    Variances stay above 0 after any number of updates: v - v² W/(1 + W V) >= v/(1 + W v) for V >= v.
    Source: assumed density filtering; golden cases in tests/science/test_irt.py.
    """
    eta, variance = combine(easiness, ability, skills)
    p, gradient, curvature = gains(eta, variance, correct, weight)
    return Updated(
        moved_ability(ability, gradient, curvature, parameters),
        tuple(moved_skill(skill, len(skills), gradient, curvature, parameters.skill_drift) for skill in skills),
        Forecast(eta, variance, p),
    )


def moved_ability(state: AbilityState, gradient: float, curvature: float, parameters: Parameters) -> AbilityState:
    """The ability after one answer whose `gains` were these."""
    v = state.variance
    return AbilityState(state.mean + v * gradient, v - v * v * curvature + parameters.ability_drift)


def moved_skill(state: SkillState, topics: int, gradient: float, curvature: float, drift: float) -> SkillState:
    """The skill on one of an item's `topics` after one answer whose `gains` were these."""
    v = state.variance
    part = v / topics
    return SkillState(state.mean + part * gradient, v - part * part * curvature + drift)


def widen(variance: float, prior_variance: float, per_day: float, days: float) -> float:
    """The variance after `days` without an answer: grows towards that of the prior, never beyond, never back.

    Negative days (a corrected clock) count as none.
    """
    if days <= 0.0 or variance >= prior_variance:
        return variance
    return min(prior_variance, variance + per_day * days)


def widened_ability(state: AbilityState, days: float, parameters: Parameters = DEFAULTS) -> AbilityState:
    """The ability `days` later: the same mean, less sure."""
    grown = widen(state.variance, parameters.ability_variance, parameters.ability_growth_per_day, days)
    return state if grown == state.variance else AbilityState(state.mean, grown)


def widened_skill(state: SkillState, days: float, parameters: Parameters = DEFAULTS) -> SkillState:
    """The skill `days` later: the same mean, less sure. Waiting never improves a weak topic."""
    grown = widen(state.variance, parameters.skill_variance, parameters.skill_growth_per_day, days)
    return state if grown == state.variance else SkillState(state.mean, grown)


class Trial(msgspec.Struct, frozen=True, gc=False):
    """One answer as this model sees it: the item's easiness, its topics, the outcome, the weight."""

    easiness: float
    topics: tuple[str, ...]
    correct: bool
    weight: float = 1.0


def fold(
    trials: Iterable[Trial],
    ability: AbilityState,
    skills: Mapping[str, SkillState],
    parameters: Parameters = DEFAULTS,
) -> tuple[AbilityState, dict[str, SkillState], list[float]]:
    """(ability, skills, forecasts) after many answers: `update` in a row, without an object for each step.

    Equal to repeated `update` to the last bit; a topic not in `skills` starts from the prior.
    """
    mean, variance = ability.mean, ability.variance
    means = {topic: skill.mean for topic, skill in skills.items()}
    spreads = {topic: skill.variance for topic, skill in skills.items()}
    fresh, ability_drift, skill_drift = parameters.skill_variance, parameters.ability_drift, parameters.skill_drift
    forecasts: list[float] = []
    for trial in trials:
        topics = trial.topics
        count = len(topics) or 1
        eta, total = trial.easiness + mean, variance
        if len(topics) == 1:
            eta, total = eta + means.get(topics[0], 0.0), total + spreads.get(topics[0], fresh)
        elif topics:
            eta += sum(means.get(topic, 0.0) for topic in topics) / count
            total += sum(spreads.get(topic, fresh) for topic in topics) / (count * count)
        p, gradient, curvature = gains(eta, total, trial.correct, trial.weight)
        forecasts.append(p)
        mean, variance = mean + variance * gradient, variance - variance * variance * curvature + ability_drift
        for topic in topics:
            v = spreads.get(topic, fresh)
            part = v / count
            means[topic] = means.get(topic, 0.0) + part * gradient
            spreads[topic] = v - part * part * curvature + skill_drift
    after = {topic: SkillState(means[topic], spreads[topic]) for topic in means}
    return AbilityState(mean, variance), after, forecasts
