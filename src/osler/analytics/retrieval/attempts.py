"""How an event of the log becomes a graded review: which button a question's answer would have been. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, floor, log
from uuid import UUID

import msgspec

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval.model import LearnerMemory, Review
from osler.domain.events import LoggedEvent
from osler.science import ratings

QUESTION, CARD = "question", "card"
REVIEW_TYPES = frozenset({"question_submit", "flashcard_review", "flashcard_reset"})

# Four steps an e-fold: the median is known to 13 %, and the state stays a few dozen small numbers.
STEPS_PER_EFOLD = 4
LEAST_SECONDS = 0.25
FEWEST_FOR_MEDIAN = 10


def review_of(event: LoggedEvent, learner: LearnerMemory, regraded: Mapping[UUID, bool]) -> Review | None:
    """The review that an event stands for; None where it is none, or a question whose key is not known."""
    if event.event_type == "question_submit":
        return _of_question(event, learner, regraded)
    if event.event_type == "flashcard_review":
        return _of_card(event)
    if event.event_type == "flashcard_reset":
        key = ItemKey(CARD, event.data["card_id"])
        return Review(key, event.effective_at, event.local_date, 1, 0, False, is_reset=True)
    return None


def paced(learner: LearnerMemory, event: LoggedEvent) -> LearnerMemory:
    """The learner after one more time to answer a question; other events change nothing."""
    seconds = event.data.get("time_to_answer_seconds") if event.event_type == "question_submit" else None
    if not seconds:
        return learner
    name = str(floor(log(max(seconds, LEAST_SECONDS)) * STEPS_PER_EFOLD))
    return msgspec.structs.replace(learner, pace={**learner.pace, name: learner.pace.get(name, 0) + 1})


def median_seconds(learner: LearnerMemory) -> float | None:
    """The learner's median time to answer a question, to 13 %; None under 10 answers."""
    return median_of(learner.pace)


def median_of(pace: Mapping[str, int]) -> float | None:
    """The same from the counts by step alone, as they are stored."""
    total = sum(pace.values())
    if total < FEWEST_FOR_MEDIAN:
        return None
    seen = 0
    for step, count in sorted((int(name), count) for name, count in pace.items()):
        seen += count
        if 2 * seen >= total:
            return exp((step + 0.5) / STEPS_PER_EFOLD)
    return None


def _of_question(event: LoggedEvent, learner: LearnerMemory, regraded: Mapping[UUID, bool]) -> Review | None:
    correct = regraded.get(event.event_id, event.is_correct)
    if correct is None:
        return None
    data = event.data
    quality = ratings.question_quality(
        correct=correct,
        is_blank=data.get("answer") == [],
        confidence=data.get("confidence"),
        seconds=data.get("time_to_answer_seconds"),
        median_seconds=median_seconds(learner) if correct else None,  # only right answers are told apart by speed
    )
    key = ItemKey(QUESTION, data["question_id"])
    return Review(key, event.effective_at, event.local_date, ratings.rating_of_quality(quality), quality, correct)


def _of_card(event: LoggedEvent) -> Review:
    rating = int(event.data["rating"])
    return Review(
        ItemKey(CARD, event.data["card_id"]),
        event.effective_at,
        event.local_date,
        rating,
        ratings.quality_of_rating(rating),
        rating > 1,
        moves_memory=bool(event.data.get("affects_schedule", True)),
    )
