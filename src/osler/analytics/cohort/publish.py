"""What of a class may be said of a closed week: from members' states to figures through the gate; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import floor
from typing import Any

import numpy as np

from osler.analytics.cohort.model import (
    MIN_FOR_BAND,
    Peer,
    probability_below,
    publish_hours,
    struggling,
    time_to_mastery,
)
from osler.science.disclosure import Gate, Published, publish_mean, round_count
from osler.science.guessing import guess_floor

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
MIN_ATTEMPTS = 5
PRIOR_ANSWERS = 4.0
SEED = 0


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One member's state of one topic; `hours` of study until mastered, or until now where it is not."""

    user_id: str
    eta: float
    variance: float
    option_count: int
    attempts: int
    first_attempts: int
    first_correct: int
    hours: float
    is_mastered: bool


def topic_figures(gate: Gate, topic_id: str, facts: Sequence[TopicFacts]) -> list[dict[str, Any]]:
    """Struggling share, difficulty and time to mastery of one topic, each published or suppressed."""
    enough = [fact for fact in facts if fact.attempts >= MIN_ATTEMPTS]
    below = {
        fact.user_id: float(
            probability_below(np.array(fact.eta), np.array(fact.variance), guess_floor(fact.option_count))
        )
        for fact in enough
    }
    struggle = struggling(gate, topic_id, below, seed=SEED)
    firsts = [fact for fact in enough if fact.first_attempts]
    mean = _mean_accuracy(firsts)
    hard = {
        fact.user_id: 1 - (fact.first_correct + PRIOR_ANSWERS * mean) / (fact.first_attempts + PRIOR_ANSWERS)
        for fact in firsts
    }
    difficulty = publish_mean(gate, hard, f"difficulty:{topic_id}")
    hours = {fact.user_id: fact.hours for fact in facts if fact.attempts}
    survival = time_to_mastery(gate, hours, {f.user_id: f.is_mastered for f in facts if f.attempts})
    median, mean_hours = publish_hours(survival)
    shown = round_count(len(hours)) if survival is not None else None
    return [
        figure("struggle", topic_id, struggle.share, below, {"rank_by": _step(struggle.rank_by)}),
        figure("difficulty", topic_id, difficulty, hard),
        figure(
            "hours_to_mastery", topic_id,
            Published(None if median is None else float(median), shown, None if shown else "minimum"),
            hours, {"restricted_mean": mean_hours},
        ),
    ]  # fmt: skip


def score_figures(gate: Gate, peers: Sequence[Peer]) -> list[dict[str, Any]]:
    """Mean score of the class, and from 20 learners on the steps of its distribution in steps of 5 points."""
    scores = {peer.user_id: peer.score for peer in peers}
    mean = publish_mean(gate, scores, "score")
    steps = None
    if len(scores) >= max(MIN_FOR_BAND, gate.minimum):
        found = np.quantile(np.array(sorted(scores.values())), QUANTILES)
        steps = {f"{q:g}": _step(float(value)) for q, value in zip(QUANTILES, found, strict=True)}
    return [figure("score", "", mean, scores, steps)]


def figure(
    measure: str,
    topic_id: str,
    published: Published,
    inputs: Mapping[str, float],
    detail: Mapping[str, float | int | None] | None = None,
) -> dict[str, Any]:
    """One row of `cohort_stats` but for its class and week. A suppressed figure keeps nothing but the reason."""
    shown = published.suppressed is None
    return {
        "topic_id": topic_id,
        "measure": measure,
        "value": published.value if shown else None,
        "low": None,
        "high": None,
        "n": published.n if shown else None,
        "detail": dict(detail) if shown and detail is not None else None,
        "suppressed": published.suppressed,
        "inputs_digest": _digest(inputs),
    }


def band_of(low: float, high: float, steps: Mapping[str, float]) -> tuple[float, float]:
    """Between which shares of the class a learner lies whose score is between `low` and `high`.

    The wider band where the interval crosses an edge.
    """
    edges = sorted((float(value), float(q)) for q, value in steps.items())
    under = [q for value, q in edges if value <= low]
    over = [q for value, q in edges if value > high]
    return (max(under) if under else 0.0), (min(over) if over else 1.0)


def _mean_accuracy(facts: Sequence[TopicFacts]) -> float:
    """The class's own accuracy, each member once: towards it the few answers of a member are drawn."""
    shares = [fact.first_correct / fact.first_attempts for fact in facts]
    return sum(shares) / len(shares) if shares else 0.5


def _step(value: float) -> float:
    """In steps of 5 points, held inside 5 % and 95 %."""
    return min(0.95, max(0.05, floor(value * 20 + 0.5) / 20))


def _digest(inputs: Mapping[str, float]) -> bytes:
    """What the figure was made of, so that a frozen figure can be checked against its inputs."""
    return sha256("\x1f".join(f"{name}={inputs[name]:.12g}" for name in sorted(inputs)).encode()).digest()
