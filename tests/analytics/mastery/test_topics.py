"""What the fold keeps of a topic, and how far a material is read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from osler.analytics.mastery.reading import read_on
from osler.analytics.mastery.topics import TopicState, answered, closed_memory_days
from osler.domain.events import LoggedEvent
from osler.science.features import NEW_LEARNER, NEW_TOPIC
from osler.science.topic_strength import START_TAU

AT = datetime.fromisoformat("2026-03-02T08:00:00+00:00")


def fresh() -> TopicState:
    return TopicState(NEW_TOPIC, NEW_LEARNER, 0.0, AT, AT.date())


def after(*answers: tuple[int, bool], options: int | None = 5) -> TopicState:
    state = fresh()
    for day, correct in answers:
        at = AT + timedelta(days=day)
        general = (NEW_LEARNER, 0.0, START_TAU)
        state = answered(state, NEW_TOPIC, *general, correct=correct, option_count=options, at=at, on=at.date())
    return state


def test_a_day_counts_once_it_is_over_and_by_its_majority():
    assert after((0, True), (0, True)).memory_days == 30.0
    assert after((0, True), (1, False)).memory_days == pytest.approx(39.0)
    assert after((0, True), (0, False), (1, True)).memory_days == 30.0
    assert after((0, False), (1, True)).memory_days == pytest.approx(30.0 / 1.3)


def test_the_topics_memory_stays_between_a_week_and_a_year():
    assert closed_memory_days(after(*((day, True) for day in range(40)))) == 365.0
    assert closed_memory_days(after(*((day, False) for day in range(40)))) == 7.0


def test_cards_count_no_questions_and_leave_the_option_count():
    state = after((0, True), options=None)
    assert (state.questions_attempted, state.questions_correct, state.option_count) == (0, 0, 0)
    assert after((0, True), (0, False)).questions_correct == 1


def test_the_state_survives_encoding():
    state = after((0, True), (3, False))
    assert msgspec.json.decode(msgspec.json.encode(state), type=TopicState) == state


def reading(kind: str, minute: int, **data: float) -> LoggedEvent:
    at = AT + timedelta(minutes=minute)
    values = {"material_id": "m1", **data}
    return LoggedEvent(UUID(int=1), UUID(int=minute), at, kind, at, 0, date(2026, 3, 2), None, None, "ms", at, values)


def test_a_material_is_complete_at_its_end_or_when_the_learner_says_so():
    halfway = read_on(read_on(None, reading("material_open", 0)), reading("material_progress", 1, progress=0.6))
    assert (halfway.progress, halfway.completed_at) == (0.6, None)
    back = read_on(halfway, reading("material_progress", 2, progress=0.2, active_seconds=20.0))
    assert (back.progress, back.active_seconds) == (0.6, 20.0)
    done = read_on(back, reading("material_complete", 3))
    assert (done.progress, done.completed_at) == (1.0, AT + timedelta(minutes=3))
    assert read_on(done, reading("material_complete", 9)).completed_at == done.completed_at
