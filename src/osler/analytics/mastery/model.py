"""What does the learner know? The brief's mastery score to the letter, and mastery as a model sees it.

The score is a weighted sum of four shares. The model is the chance to answer an unseen item of the topic's median
easiness, guessing taken out, from the states of `osler.science.irt`. States are frozen values; they are a function of
the learner's ordered answers and the parameter version, and cannot be merged: each answer is judged by the level at
that moment. Only `AttemptTotals` add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal

import msgspec

from osler.domain.attempt_totals import AttemptTotals, JudgedAttempt, totals_of
from osler.errors import InvalidModelInput
from osler.science import histories, learning_rate
from osler.science.features import NEW_TOPIC, Answer, LearnerHistory, TopicHistory, elapsed_days
from osler.science.guessing import guess_floor, known_share, raw_share
from osler.science.histories import Histories
from osler.science.irt import DEFAULTS, Parameters, widened_ability, widened_skill
from osler.science.item_easiness import Encoding
from osler.science.learning_rate import Practice, Span
from osler.science.logits import PROBIT, Z90, logit, share, sigmoid

VERSION = "mastery-1"
WEIGHTS = {
    "first_attempt_accuracy": 0.30,
    "overall_accuracy": 0.20,
    "retrieval_strength": 0.30,
    "material_completion": 0.20,
}
MIN_ATTEMPTS = 5
MASTERED, MASTERED_LOWER_BOUND, WEAK_UPPER_BOUND = 0.80, 0.70, 0.60
SMOOTHING = 4.0

Status = Literal["ok", "insufficient_data"]
Label = Literal["unseen", "insufficient_data", "weak", "developing", "mastered"]


# ------------------------------------------------------------------------------------------ the brief's score
def mastery_brief(
    first_attempt_accuracy: float, overall_accuracy: float, retrieval_strength: float, material_completion: float
) -> float:
    """The brief's mastery score, to the letter. Errors: InvalidModelInput outside [0, 1], NaN included.

    >>> round(mastery_brief(0.8, 0.75, 0.9, 1.0), 10)
    0.86
    """
    return (
        0.30 * share(first_attempt_accuracy, "first_attempt_accuracy")
        + 0.20 * share(overall_accuracy, "overall_accuracy")
        + 0.30 * share(retrieval_strength, "retrieval_strength")
        + 0.20 * share(material_completion, "material_completion")
    )


def totals_of_history(topic: TopicHistory) -> AttemptTotals:
    """The counts that the model's own state of a topic holds."""
    return AttemptTotals(
        topic.right + topic.wrong, topic.right, topic.first_right + topic.first_wrong, topic.first_right
    )


@dataclass(frozen=True, slots=True)
class MasteryScore:
    """The brief's score over the components that have data. `value` is None without any attempt.

    `exposure_only`: there is reading and nothing else. `low` and `high` are the 90 % interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    status: Status
    components: dict[str, float]
    exposure_only: bool

    @property
    def components_present(self) -> tuple[str, ...]:
        """The names of the components that had data, in the order of the formula."""
        return tuple(self.components)


def mastery_score(
    attempts: AttemptTotals | Iterable[JudgedAttempt],
    *,
    retrieval_strength: float | None = None,
    retrieval_variance: float = 0.0,
    material_completion: float | None = None,
    population_mean: float = 0.65,
) -> MasteryScore:
    """The brief's score, divided by the weights of the components that have data, with its interval.

    Under 5 attempts the status is `insufficient_data`: no severity, no colour. `retrieval_variance` is that of the
    topic's retrieval strength. Errors: InvalidModelInput for shares outside [0, 1].
    """
    counted = totals_of(attempts)
    first, total = counted.first_attempt_total, counted.total
    given = {
        "first_attempt_accuracy": counted.first_attempt_correct / first if first else None,
        "overall_accuracy": counted.correct / total if total else None,
        "retrieval_strength": retrieval_strength,
        "material_completion": material_completion,
    }
    present = {name: share(value, name) for name, value in given.items() if value is not None}
    exposure_only = tuple(present) == ("material_completion",)
    if total == 0:
        return MasteryScore(None, None, None, 0, "insufficient_data", present, exposure_only)
    weights = sum(WEIGHTS[name] for name in present)
    value = min(1.0, sum(WEIGHTS[name] * part for name, part in present.items()) / weights)
    low, high = _score_interval(counted, present, retrieval_variance, share(population_mean, "population_mean"))
    status: Status = "ok" if total >= MIN_ATTEMPTS else "insufficient_data"
    return MasteryScore(value, min(low, value), max(high, value), total, status, present, exposure_only)


def calculate_mastery_score(attempts: AttemptTotals | Iterable[JudgedAttempt]) -> float | None:
    """The brief's call: the score from attempts alone; None without any.

    >>> round(calculate_mastery_score(AttemptTotals(20, 15, 15, 12)), 10)
    0.78
    """
    return mastery_score(attempts).value


def _score_interval(
    counted: AttemptTotals, present: dict[str, float], retrieval_variance: float, population_mean: float
) -> tuple[float, float]:
    """The score's 90 % interval on the logit scale, round the score from smoothed accuracies.

    A share of first attempts f makes first attempts count .3 + .2 f and repeats .2 (1 - f) in the sum.
    """
    n1, x1 = counted.first_attempt_total, counted.first_attempt_correct
    n2, x2 = counted.repeats
    prior = SMOOTHING * population_mean
    p1, p2 = (x1 + prior) / (n1 + SMOOTHING), (x2 + prior) / (n2 + SMOOTHING)
    f = n1 / counted.total
    weights = sum(WEIGHTS[name] for name in present)
    on_first = (0.3 if n1 else 0.0) + 0.2 * f
    on_repeats = 0.2 * (1.0 - f)
    rest = sum(WEIGHTS[n] * v for n, v in present.items() if n in ("retrieval_strength", "material_completion"))
    centre = (on_first * p1 + on_repeats * p2 + rest) / weights
    variance = on_first**2 * p1 * (1 - p1) / (n1 + 5) + on_repeats**2 * p2 * (1 - p2) / (n2 + 5)
    if "retrieval_strength" in present:
        variance += 0.09 * max(0.0, retrieval_variance)
    half = Z90 * sqrt(variance) / weights / max(centre * (1.0 - centre), 1e-9)
    return sigmoid(logit(centre) - half), sigmoid(logit(centre) + half)


# ------------------------------------------------------------------------------------------ mastery as a model
@dataclass(frozen=True, slots=True)
class Mastery:
    """P(an unseen item of median easiness is known), with its 90 % interval and what may be said of it."""

    value: float
    low: float
    high: float
    n: int
    label: Label
    eta: float
    variance: float

    @property
    def status(self) -> Status:
        """`ok` from 5 answers on."""
        return "ok" if self.n >= MIN_ATTEMPTS else "insufficient_data"


def initial(parameters: Parameters = DEFAULTS) -> Histories:
    """A learner who has not answered anything."""
    return histories.initial(parameters)


def update(state: Histories, answer: Answer, encoding: Encoding, parameters: Parameters = DEFAULTS) -> Histories:
    """The state after one more answer; `osler.science.histories.fold` takes many, and gives the same."""
    return histories.update(state, answer, encoding, parameters)


def predict(
    learner: LearnerHistory,
    topic: TopicHistory | None,
    *,
    median_easiness: float,
    options: int = 0,
    at: float | None = None,
    parameters: Parameters = DEFAULTS,
) -> Mastery:
    """Mastery of one topic at an instant (epoch seconds); `topic` None stands for an unseen one.

    `options` of the topic's usual question (0 for cards) sets the guess floor. It widens with time, and never
    improves by waiting. Errors: InvalidModelInput for an easiness that is not finite.
    """
    if not isfinite(median_easiness):
        raise InvalidModelInput("The median easiness must be finite.")
    seen = topic or NEW_TOPIC
    ability = widened_ability(learner.ability, elapsed_days(learner.at, at), parameters)
    skill = widened_skill(seen.skill, elapsed_days(seen.at, at), parameters)
    eta, variance = median_easiness + ability.mean + skill.mean, ability.variance + skill.variance
    half, n = Z90 * sqrt(variance), seen.right + seen.wrong
    value, low, high = (chance_known(x, variance, options) for x in (eta, eta - half, eta + half))
    return Mastery(value, low, high, n, classify(value, low, high, n), eta, variance)


def chance_known(eta: float, variance: float, options: int) -> float:
    """The share known behind a level: the averaged chance of a right answer with guessing taken out."""
    return known_share(sigmoid(eta / sqrt(1.0 + PROBIT * variance)), guess_floor(options))


def classify(value: float, low: float, high: float, n: int) -> Label:
    """What a mastery may be called: unseen and weak are never mixed, and nothing is judged under 5 answers."""
    if n == 0:
        return "unseen"
    if n < MIN_ATTEMPTS:
        return "insufficient_data"
    if high < WEAK_UPPER_BOUND:
        return "weak"
    return "mastered" if value >= MASTERED and low >= MASTERED_LOWER_BOUND else "developing"


def mastery_target(variance: float, options: int, target: float = MASTERED) -> float:
    """The level (logits) at which mastery reaches the target."""
    chance = raw_share(share(target, "target"), guess_floor(options))
    return learning_rate.target_logit(chance) * sqrt(1.0 + PROBIT * variance)


def time_to_mastery(
    mastery: Mastery,
    *,
    seconds_per_attempt: float,
    seed: int,
    options: int = 0,
    planned_seconds_per_day: float | None = None,
    horizon_days: float = learning_rate.LONGEST_DAYS,
    gamma: float = learning_rate.DEFAULT_GAMMA,
    gamma_sd: float = learning_rate.DEFAULT_GAMMA_SD,
) -> Span:
    """Days of the plan until the topic is mastered, or hours of study where no plan is set; 1,000 seeded draws."""
    practice = Practice(mastery.eta, mastery.variance, mastery.n, seconds_per_attempt, gamma, gamma_sd)
    target = mastery_target(mastery.variance, options)
    if planned_seconds_per_day is None:
        return learning_rate.hours_to(practice, target, seed=seed)
    return learning_rate.days_to(
        practice, target, planned_seconds_per_day=planned_seconds_per_day, seed=seed, horizon_days=horizon_days
    )


# ------------------------------------------------------------------------------------------ storing
def encode(state: Histories) -> bytes:
    """The state as canonical JSON: equal states give equal bytes. Names of items and topics must be strings."""
    return msgspec.json.encode(state, order="deterministic")


def decode(raw: bytes) -> Histories:
    """The state that `encode` wrote. Errors: InvalidModelInput for anything else."""
    try:
        return msgspec.json.decode(raw, type=Histories)
    except msgspec.DecodeError as broken:
        raise InvalidModelInput("This is no stored mastery state.") from broken
