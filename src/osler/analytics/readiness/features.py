"""What are the brief's eight features of a learner before an exam, as of an instant? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from osler.analytics.readiness.model import MASTERED, MASTERED_LOW, MIN_ANSWERS, WEAK_HIGH, TopicState
from osler.science.exam_score import Floats

FEATURES = (
    "avg_mastery_score",
    "topics_mastered",
    "topics_weak",
    "accuracy_30d",
    "study_minutes_total",
    "first_attempt_accuracy",
    "questions_attempted_total",
    "days_since_start",
)


def exam_features(
    topics: Sequence[TopicState],
    *,
    accuracy_30d: float | None,
    study_minutes_total: float | None,
    first_attempt_accuracy: float | None,
    questions_attempted_total: int,
    days_since_start: int | None,
) -> Mapping[str, float | None]:
    """The brief's eight features as-of an instant, all made from what had been received by then; None is missing.

    `avg_mastery_score` is weighted by the blueprint over topics with at least 5 answers; mastered and weak as in
    `mastery`: M ≥ .80 with lower bound ≥ .70, and upper bound < .60, both on at least 5 answers.
    """
    known = [topic for topic in topics if topic.n >= MIN_ANSWERS]
    share = sum(topic.share for topic in known)
    mastered = sum(t.mastery >= MASTERED and t.mastery_low >= MASTERED_LOW for t in known)
    return {
        "avg_mastery_score": sum(t.share * t.mastery for t in known) / share if share > 0 else None,
        "topics_mastered": float(mastered),
        "topics_weak": float(sum(t.mastery_high < WEAK_HIGH for t in known)),
        "accuracy_30d": accuracy_30d,
        "study_minutes_total": study_minutes_total,
        "first_attempt_accuracy": first_attempt_accuracy,
        "questions_attempted_total": float(questions_attempted_total),
        "days_since_start": None if days_since_start is None else float(days_since_start),
    }


def as_row(features: Mapping[str, float | None]) -> Floats:
    """The features (8,) in the brief's order, NaN where missing."""
    known = (features[name] for name in FEATURES)
    return np.array([np.nan if value is None else float(value) for value in known])
