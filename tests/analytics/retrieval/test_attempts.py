"""Which review an event of the log stands for."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from osler.analytics.retrieval.attempts import median_seconds, paced, review_of
from osler.analytics.retrieval.model import LearnerMemory
from osler.domain.events import LoggedEvent

AT = datetime.fromisoformat("2026-03-02T08:00:00+00:00")
ID = UUID(int=7)


def logged(kind: str, data: dict, is_correct: bool | None = None) -> LoggedEvent:
    return LoggedEvent(
        ID, ID, AT, kind, AT, 0, date(2026, 3, 2), None, None, "ms", AT, data, is_correct=is_correct
    )  # fmt: skip


def question(seconds: float = 30.0, *, right: bool | None = True, **more) -> LoggedEvent:
    return logged("question_submit", {"question_id": "q1", "time_to_answer_seconds": seconds, **more}, right)


def learner(*seconds: float) -> LearnerMemory:
    known = LearnerMemory()
    for each in seconds:
        known = paced(known, question(each))
    return known


@pytest.mark.parametrize(
    ("event", "quality", "rating"),
    [
        (question(right=False), 1, 1),
        (question(right=False, answer=[]), 0, 1),
        (question(), 4, 3),
        (question(confidence=1), 3, 2),
        (question(200.0), 3, 2),
        (question(5.0, confidence=5), 5, 4),
        (question(30.0, confidence=5), 4, 3),
    ],
)
def test_a_questions_rating_is_derived(event: LoggedEvent, quality: int, rating: int):
    found = review_of(event, learner(*[28.0] * 20), {})
    assert found is not None
    assert (found.quality, found.rating) == (quality, rating)


def test_without_a_pace_of_its_own_slow_is_not_hard():
    found = review_of(question(3_000.0), learner(30.0), {})
    assert found is not None
    assert found.rating == 3


def test_an_answer_without_a_grade_is_no_review_until_it_is_regraded():
    event = question(right=None)
    assert review_of(event, LearnerMemory(), {}) is None
    found = review_of(event, LearnerMemory(), {ID: False})
    assert found is not None
    assert found.correct is False


def test_cards_carry_their_own_rating_and_say_whether_they_were_crammed():
    card = {"card_id": "c1", "rating": 2, "affects_schedule": False}
    found = review_of(logged("flashcard_review", card), LearnerMemory(), {})
    assert found is not None
    assert (found.rating, found.quality, found.correct, found.moves_memory) == (2, 3, True, False)


def test_the_median_is_known_to_thirteen_percent_and_needs_ten_answers():
    assert median_seconds(learner(*[20.0] * 9)) is None
    assert median_seconds(learner(*[10.0] * 10, *[40.0] * 11)) == pytest.approx(40.0, rel=0.135)


def test_other_events_are_no_reviews_and_change_no_pace():
    event = logged("session_start", {"mode": "practice"})
    assert review_of(event, LearnerMemory(), {}) is None
    assert paced(LearnerMemory(), event) == LearnerMemory()
