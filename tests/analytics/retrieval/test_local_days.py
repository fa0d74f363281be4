"""Memory goes by the learner's days: midnight, the start of the day, changes of clock, flights, a zone that changes."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval.attempts import review_of
from osler.analytics.retrieval.model import ItemMemory, LearnerMemory, OwnMemory, Review, update
from osler.domain.clock_rules import local_date_of, us_of
from osler.domain.events import LoggedEvent
from osler.errors import InvalidModelInput
from osler.science import blend, fsrs
from osler.science.guard import Guard

KEY = ItemKey("card", "c1")
DAY_STARTS = 240


def reviewed(at: str, rating: int = 3) -> Review:
    """A review at an instant whose offset is the learner's then: the day is the one that ingestion would store."""
    instant = datetime.fromisoformat(at)
    offset = instant.utcoffset()
    assert offset is not None
    on = local_date_of(us_of(instant), int(offset.total_seconds()) // 60, DAY_STARTS)
    return Review(KEY, instant, on, rating, 4, rating > 1)


def folded(*reviews: Review) -> tuple[ItemMemory, float | None]:
    memory, forecast = None, None
    for one in reviews:
        step = update(memory, one, 0.0)
        memory, forecast = step.memory, step.forecast
    assert memory is not None
    return memory, forecast


SAME_DAY = [
    ("2026-03-02T23:50:00+01:00", "2026-03-03T00:10:00+01:00"),
    ("2026-03-29T01:30:00+00:00", "2026-03-29T03:30:00+01:00"),  # London, the clock goes forward
    ("2026-10-25T00:30:00+01:00", "2026-10-25T03:30:00+00:00"),  # and back: a day of 25 hours
    ("2026-03-02T08:00:00+13:00", "2026-03-01T22:00:00-10:00"),  # Auckland to Honolulu, 24 h later, a day earlier
]
NEXT_DAY = [
    ("2026-03-03T03:50:00+01:00", "2026-03-03T04:10:00+01:00"),
    ("2026-03-28T12:00:00+00:00", "2026-03-29T04:30:00+01:00"),
    ("2026-03-02T20:00:00-10:00", "2026-03-04T08:00:00+13:00"),  # Honolulu to Auckland, 13 h later
    ("2026-03-02T23:00:00+05:30", "2026-03-03T06:00:00-05:00"),  # moved from Kolkata to New York
]


@pytest.mark.parametrize(("first", "then"), SAME_DAY)
def test_a_review_of_the_same_day_takes_the_branch_of_the_day_and_is_forecast_by_sbd_alone(first: str, then: str):
    memory, forecast = folded(reviewed(first), reviewed(then))
    start = fsrs.first(3)
    assert memory.state is not None
    assert memory.state.fsrs == fsrs.step(start, 0, 3)
    assert memory.review_days == 1
    real = max(0.0, (datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds() / 86_400)
    assert forecast == pytest.approx(blend.recall(blend.review(None, 0, 0.0, 3), 0, real))


@pytest.mark.parametrize(("first", "then"), NEXT_DAY)
def test_a_review_of_the_next_day_is_one_day_later_however_few_hours(first: str, then: str):
    first_review, then_review = reviewed(first), reviewed(then)
    days = (then_review.local_date - first_review.local_date).days
    memory, _ = folded(first_review, then_review)
    assert memory.state is not None
    assert days >= 1
    assert memory.state.fsrs == fsrs.step(fsrs.first(3), days, 3)
    assert memory.review_days == 2


def test_after_a_flight_back_over_the_date_line_days_count_from_the_later_one():
    """Else the day that was lived twice would be forgotten over twice."""
    memory, _ = folded(reviewed("2026-03-02T08:00:00+13:00"), reviewed("2026-03-01T22:00:00-10:00"))
    assert memory.last_local_date == date(2026, 3, 2)


def test_an_answer_after_feedback_or_a_hint_is_no_first_attempt():
    """Wrong, told why, right: the first attempt stays wrong."""

    def answer(number: int, *, right: bool, hints: int) -> LoggedEvent:
        at = datetime.fromisoformat(f"2026-03-02T08:0{number}:00+00:00")
        data = {"question_id": "q1", "time_to_answer_seconds": 30.0, "hints_used": hints}
        return LoggedEvent(
            UUID(int=1), UUID(int=number), at, "question_submit", at, 0, at.date(), None, None, "ms", at, data,
            is_correct=right,
        )  # fmt: skip

    memory = None
    for event in (answer(1, right=False, hints=0), answer(2, right=True, hints=1), answer(3, right=True, hints=0)):
        review = review_of(event, LearnerMemory(), {})
        assert review is not None
        memory = update(memory, review, 0.0).memory
    assert memory is not None
    assert (memory.first_correct, memory.right, memory.wrong) == (False, 2, 1)


def test_a_learners_stored_parameters_out_of_bounds_are_refused():
    wild = OwnMemory(
        "m",
        (1e9, *fsrs.DEFAULTS[1:]),
        tuple(blend.POPULATION.sbd),
        datetime.fromisoformat("2026-03-02T08:00:00+00:00"),
        UUID(int=1),
        Guard(),
    )
    with pytest.raises(InvalidModelInput):
        wild.parameters()
