"""What is missing, how badly, and what stands behind it? The brief's priority to the letter, and what ranks instead.

The literal `priority_score` is shown and stored, and never ranks: it can put a mastered topic of great weight before
a failing one. `priority_index`, which multiplies by the gap, ranks; expected exam points an hour do where they may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, isfinite
from typing import Literal

from osler.errors import InvalidModelInput
from osler.science.learning_rate import Practice, Span, hours_to
from osler.science.logits import share
from osler.science.prerequisites import Prerequisites
from osler.science.study_value import Candidate, HourValue, hour_values

VERSION = "gaps-1"
MIN_ATTEMPTS = 5
LARGEST_WEIGHT = 10.0
LARGEST_PRIORITY = 25.5
CRITICAL, HIGH, MEDIUM = 0.60, 0.42, 0.20
PROVISIONAL_UPPER_BOUND = 0.60
RECENT_ATTEMPTS, RECENT_DAYS = 20, 30
CONFIDENT, MIN_CONFIDENT, TOLERATED_ERRORS, BOUND_LEVEL = 0.75, 5, 0.30, 0.80
PROPAGATED_SHARE = 0.5

Severity = Literal["critical", "high", "medium", "low"]
Order = Literal["points_per_hour", "priority_index"]


@dataclass(frozen=True, slots=True)
class Gap:
    """One topic's gap. `severity` is None under 5 answers; `imputed` names inputs that were not observed.

    `provisional`: called critical while the upper bound of mastery still reaches .60.
    """

    gap_score: float
    priority_score: float
    priority_index: float
    severity: Severity | None
    provisional: bool = False
    imputed: tuple[str, ...] = ()


def exam_weight(value: float) -> float:
    """The value, if it is a `board_exam_weight` in 0 to 10. Errors: InvalidModelInput otherwise, NaN included."""
    if not (isfinite(value) and 0.0 <= value <= LARGEST_WEIGHT):
        raise InvalidModelInput("board_exam_weight must lie between 0 and 10.", params={"name": "board_exam_weight"})
    return float(value)


def derived_weights(exam_shares: Mapping[str, float]) -> dict[str, float]:
    """Weights 0 to 10 from a blueprint's shares where none are given: 10 for the largest. Flag them as derived."""
    largest = max((share(value, "exam_share") for value in exam_shares.values()), default=0.0)
    return {topic: LARGEST_WEIGHT * value / largest if largest else 0.0 for topic, value in exam_shares.items()}


def gap_score(mastery_score: float) -> float:
    """1 - mastery score, the brief's."""
    return 1.0 - share(mastery_score, "mastery_score")


def priority_score(
    gap: float, board_exam_weight: float, prerequisite_impact: float = 0.0, recent_failure_rate: float = 0.0
) -> float:
    """The brief's priority, to the letter: 0 to 25.5 for a weight of 0 to 10 and shares of 0 to 1.

    >>> round(priority_score(0.7, 8.0, 0.0, 0.55), 3)
    18.925
    """
    return (
        share(gap, "gap_score") * 3.0
        + exam_weight(board_exam_weight) * 2.0
        + share(prerequisite_impact, "prerequisite_impact") * 1.0
        + share(recent_failure_rate, "recent_failure_rate") * 1.5
    )


def priority_index(
    gap: float, board_exam_weight: float, prerequisite_impact: float = 0.0, recent_failure_rate: float = 0.0
) -> float:
    """What ranks, 0 to 100: the gap times what makes it matter, so that a mastered topic is always last.

    >>> round(priority_index(0.7, 8.0, 0.0, 0.55), 1)
    50.6
    """
    matter = (
        3.0
        + 2.0 * exam_weight(board_exam_weight) / LARGEST_WEIGHT
        + share(prerequisite_impact, "prerequisite_impact")
        + 1.5 * share(recent_failure_rate, "recent_failure_rate")
    )
    return 100.0 * share(gap, "gap_score") * matter / 7.5


def severity_score(gap: float, priority: float) -> float:
    """Gap (.5 + .5 min(1, priority/20)), 0 to 1: what the severity is cut from."""
    if not (isfinite(priority) and 0.0 <= priority <= LARGEST_PRIORITY + 1e-9):
        raise InvalidModelInput("priority_score must lie between 0 and 25.5.", params={"name": "priority_score"})
    return share(gap, "gap_score") * (0.5 + 0.5 * min(1.0, priority / 20.0))


def classify_severity(gap_score: float, priority_score: float) -> Severity:
    """The brief's severity of a gap, from its two arguments."""
    score = severity_score(gap_score, priority_score)
    if score >= CRITICAL:
        return "critical"
    if score >= HIGH:
        return "high"
    return "medium" if score >= MEDIUM else "low"


def detect_knowledge_gap(
    mastery_score: float,
    accuracy: float,
    board_exam_weight: float,
    *,
    prerequisite_impact: float = 0.0,
    recent_failure_rate: float | None = None,
) -> Gap:
    """The brief's call: classified from numbers alone, without asking on how many answers they rest.

    Without a recent failure rate 1 - accuracy stands in, flagged in `imputed`.
    Errors: InvalidModelInput for a share outside [0, 1], a weight outside [0, 10], or NaN.
    """
    overall = share(accuracy, "accuracy")
    failing = 1.0 - overall if recent_failure_rate is None else recent_failure_rate
    gap = gap_score(mastery_score)
    priority = priority_score(gap, board_exam_weight, prerequisite_impact, failing)
    return Gap(
        gap_score=gap,
        priority_score=priority,
        priority_index=priority_index(gap, board_exam_weight, prerequisite_impact, failing),
        severity=classify_severity(gap, priority),
        imputed=("recent_failure_rate",) if recent_failure_rate is None else (),
    )


def gap_from_data(
    mastery_score: float,
    *,
    n: int,
    mastery_upper: float,
    board_exam_weight: float,
    prerequisite_impact: float,
    recent_failure_rate: float,
) -> Gap:
    """The gap of a topic with n answers: no severity under 5, `provisional` while the model is not sure it is weak."""
    gap = gap_score(mastery_score)
    priority = priority_score(gap, board_exam_weight, prerequisite_impact, recent_failure_rate)
    severity = classify_severity(gap, priority) if n >= MIN_ATTEMPTS else None
    unsure = severity == "critical" and share(mastery_upper, "mastery_upper") >= PROVISIONAL_UPPER_BOUND
    index = priority_index(gap, board_exam_weight, prerequisite_impact, recent_failure_rate)
    return Gap(gap, priority, index, severity, provisional=unsure)


def recent_failure_rate(wrong: int, n: int, population_mean: float) -> float:
    """The share wrong of the last 20 answers within 30 days, smoothed by four at the population's mean.

    >>> recent_failure_rate(0, 0, 0.75)
    0.25
    """
    if not 0 <= wrong <= n <= RECENT_ATTEMPTS:
        raise InvalidModelInput(f"Recent failures count at most {RECENT_ATTEMPTS} answers, wrong ones among them.")
    return (wrong + 4.0 * (1.0 - share(population_mean, "population_mean"))) / (n + 4.0)


def prerequisite_impacts(
    graph: Prerequisites, exam_shares: Mapping[str, float], gaps: Mapping[str, float]
) -> dict[str, float]:
    """For each topic of `gaps`: the share of what is missing elsewhere that lies behind it; 0 where nothing is.

    Σ_j reach(topic, j) w_j gap_j / Σ_{j≠topic} w_j gap_j, reach at most 5 edges deep.
    """
    missing = {topic: exam_shares.get(topic, 0.0) * gap for topic, gap in gaps.items()}
    each = [*missing.values()]
    impacts: dict[str, float] = {}
    for place, topic in enumerate(missing):
        total = sum(each[:place] + each[place + 1 :])
        behind = sum(strength * missing.get(other, 0.0) for other, strength in graph.reach(topic).items())
        impacts[topic] = min(1.0, behind / total) if total > 0.0 else 0.0
    return impacts


def unseen_prior_mean(
    topic: str, parent: str | None, graph: Prerequisites, known: Mapping[str, tuple[float, int]]
) -> float:
    """The prior skill of an unseen topic: its parent's, else half the mean of its prerequisites', else 0.

    `known` maps topics to (skill mean in logits, answers); only those with 5 answers count. The prior's variance is
    unchanged, and a topic with answers of its own never takes this.
    """
    sure = {name: mean for name, (mean, n) in known.items() if n >= MIN_ATTEMPTS}
    if parent in sure:
        return sure[parent]
    edges = {name: e for name, e in graph.needs.get(topic, {}).items() if name in sure}
    return PROPAGATED_SHARE * sum(e * sure[name] for name, e in edges.items()) / sum(edges.values()) if edges else 0.0


def hours_to_close(practice: Practice, target: float, *, review_and_reading_seconds: float, seed: int) -> Span:
    """Hours until the topic's level reaches `target` (logits), with due reviews and unread required material."""
    if not review_and_reading_seconds >= 0.0:
        raise InvalidModelInput("Seconds of reviews and reading cannot be negative.")
    return hours_to(practice, target, seed=seed, extra_seconds=review_and_reading_seconds)


def ranked(
    gaps: Mapping[str, Gap], candidates: Sequence[Candidate], *, points_may_rank: bool, seed: int
) -> tuple[Order, list[str], dict[str, HourValue]]:
    """(what ranks, topics in order, value of an hour by topic).

    `points_may_rank` says that an exam date, a blueprint and enough answers exist, and that the practice curve has
    won forward in time; otherwise `priority_index` ranks. The values are given in either case.
    """
    values = {value.topic: value for value in hour_values(candidates, seed=seed)}
    by_index = sorted(gaps, key=lambda topic: (-gaps[topic].priority_index, topic))
    if not points_may_rank:
        return "priority_index", by_index, values
    first = [topic for topic in values if topic in gaps]
    return "points_per_hour", first + [topic for topic in by_index if topic not in values], values


def learning_path(below_target: Iterable[str], graph: Prerequisites, order: Sequence[str]) -> list[str]:
    """Topics below target, each after those it stands on; among equals, the given order of worth."""
    rank = {topic: place for place, topic in enumerate(order)}
    return [
        topic
        for level in graph.levels(below_target)
        for topic in sorted(level, key=lambda name: (rank.get(name, len(rank)), name))
    ]


def is_confident_but_wrong(wrong: int, n: int) -> bool | None:
    """Whether answers given with confidence >= .75 go wrong too often; None under 5 of them.

    The error rate has a Beta(1, 3) prior; its lower 80 % bound must exceed .30: P(rate <= .30) < .20, a binomial tail.
    """
    if not 0 <= wrong <= n:
        raise InvalidModelInput("Wrong answers cannot outnumber answers.")
    if n < MIN_CONFIDENT:
        return None
    trials, p = n + 3, TOLERATED_ERRORS
    below = sum(comb(trials, k) * p**k * (1.0 - p) ** (trials - k) for k in range(wrong + 1, trials + 1))
    return below < 1.0 - BOUND_LEVEL


def is_fast_wrong(seconds: float, median_seconds: float, *, correct: bool) -> bool:
    """Wrong and faster than the learner's median: said under its own name, never called confidence."""
    return not correct and seconds < median_seconds
