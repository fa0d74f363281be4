"""Due periods are found from what succeeded, whatever ticks were heard."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidInput
from osler.jobs.periods import Cadence, Window, due_periods, last_opened, parse_period, period_key

DAY = date(2026, 11, 22)  # a Sunday


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "inside"), [(1, 59, False), (2, 0, True), (4, 59, True), (5, 0, False), (14, 0, False)]
)
def test_the_night_is_two_to_five(hour: int, minute: int, inside: bool) -> None:
    assert Window().contains(at(hour, minute)) is inside


def test_a_window_may_cross_midnight() -> None:
    late = Window(time(23), time(3))
    assert late.contains(at(23, 30))
    assert late.contains(at(2))
    assert not late.contains(at(12))


def test_a_night_is_due_from_the_opening_of_its_window() -> None:
    assert last_opened(at(1, 59), Cadence.DAILY) == DAY - timedelta(days=1)
    assert last_opened(at(2), Cadence.DAILY) == DAY


def test_a_week_is_its_monday() -> None:
    assert last_opened(at(12), Cadence.WEEKLY) == date(2026, 11, 16)
    assert last_opened(at(3, day=date(2026, 11, 23)), Cadence.WEEKLY) == date(2026, 11, 23)


def test_only_the_newest_is_due_for_a_job_of_marks() -> None:
    assert due_periods(at(3), Cadence.DAILY, set()) == [DAY]
    assert due_periods(at(3), Cadence.DAILY, {DAY}) == []


def test_every_missed_period_is_due_for_a_job_of_periods() -> None:
    done = {DAY - timedelta(days=1)}
    found = due_periods(at(3), Cadence.DAILY, done, first=DAY - timedelta(days=3), each=True)
    assert found == [DAY - timedelta(days=3), DAY - timedelta(days=2), DAY]


def test_a_far_first_day_is_cut_at_the_lookback() -> None:
    assert len(due_periods(at(3), Cadence.DAILY, set(), each=True)) == 36
    assert len(due_periods(at(3), Cadence.WEEKLY, set(), each=True)) == 6


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(Cadence),
    st.booleans(),
)
def test_nothing_is_due_twice_nor_before_its_time(moment: datetime, cadence: Cadence, each: bool) -> None:
    due = due_periods(moment, cadence, set(), each=each)
    assert due == sorted(set(due))
    assert all(datetime.combine(day, time(2), UTC) <= moment for day in due)
    assert due_periods(moment, cadence, set(due), each=each) == []


def test_a_period_reads_back() -> None:
    assert parse_period(period_key(DAY)) == DAY
    with pytest.raises(InvalidInput):
        parse_period("yesterday")
