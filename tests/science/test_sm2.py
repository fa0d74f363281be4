import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.sm2 import (
    CAP_DAYS,
    NEW,
    SafeSchedule,
    calculate_next_review,
    sm2_interval,
    sm2_interval_many,
    sm2_retrievability,
    sm2_safe,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sm2.json").read_text())
TODAY = date(2026, 3, 2)


@pytest.mark.parametrize("quality", [3, 4, 5])
def test_intervals_equal_the_golden_table(quality):
    given_ = [sm2_interval(quality, previous) for previous in GOLDEN["previous"]]
    assert given_ == GOLDEN["next"][str(quality)]


@pytest.mark.parametrize("quality", [0, 1, 2])
def test_a_failed_answer_comes_back_tomorrow(quality):
    assert {sm2_interval(quality, previous) for previous in GOLDEN["previous"]} == {1}


@pytest.mark.parametrize("quality", [3, 4, 5])
def test_runs_from_zero_equal_the_golden_ones(quality):
    interval, run = 0, []
    for _ in range(12):
        interval = sm2_interval(quality, interval)
        run.append(interval)
    assert run == GOLDEN["runs"][str(quality)]


def test_the_float_expression_equals_integer_tenths_over_a_century():
    for quality in (3, 4, 5):
        tenths = 13 + 2 * (quality - 3)
        previous = np.arange(2, 36_501)
        expected = previous * tenths // 10
        assert np.array_equal(sm2_interval_many(np.full(previous.size, quality), previous), expected)
        assert all(sm2_interval(quality, int(p)) == e for p, e in zip(previous[::97], expected[::97], strict=True))


def test_next_review_is_the_last_plus_the_interval():
    at = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert calculate_next_review(at, 6, 4) == (at + timedelta(days=9), 9)


@pytest.mark.parametrize(
    ("quality", "previous"), [(6, 1), (-1, 1), (2.5, 1), (True, 1), (3, -1), (3, 1.5), ("3", 1), (float("nan"), 1)]
)
def test_what_is_no_quality_or_interval_is_refused_as_a_value_error(quality, previous):
    with pytest.raises(ValueError, match=r"SM-2 quality|previous interval"):
        sm2_interval(quality, previous)


def test_many_refuses_what_one_refuses():
    with pytest.raises(ValueError, match="quality"):
        sm2_interval_many(np.array([6]), np.array([1]))
    with pytest.raises(ValueError, match="negative"):
        sm2_interval_many(np.array([3]), np.array([-1]))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40_000)), min_size=1, max_size=50))
def test_many_gives_the_values_of_one_by_one(rows):
    quality, previous = (np.array(column) for column in zip(*rows, strict=True))
    assert sm2_interval_many(quality, previous).tolist() == [sm2_interval(q, p) for q, p in rows]


def test_the_assumed_curve_is_at_nine_tenths_when_due():
    assert sm2_retrievability(10, 10) == pytest.approx(0.9)
    assert sm2_retrievability(0, 10) == 1


def test_safe_no_item_is_stuck_at_two_or_three_days_with_quality_three():
    for stuck in (2, 3):
        assert sm2_interval(3, stuck) == stuck
        state = sm2_safe(SafeSchedule(stuck, TODAY, TODAY - timedelta(days=stuck)), 3, TODAY)
        assert state.interval_days == stuck + 1


def test_safe_three_answers_in_one_day_promote_once():
    first = sm2_safe(NEW, 5, TODAY)
    assert sm2_safe(sm2_safe(first, 5, TODAY), 4, TODAY) == first
    assert first == SafeSchedule(1, TODAY + timedelta(days=1), TODAY)


def test_safe_a_failure_counts_even_on_the_day_of_a_promotion():
    grown = SafeSchedule(28, TODAY + timedelta(days=28), TODAY)
    assert sm2_safe(grown, 1, TODAY) == SafeSchedule(1, TODAY + timedelta(days=1), TODAY)


def test_safe_nothing_is_due_on_the_exam_day_or_later():
    state = SafeSchedule(100, TODAY, TODAY - timedelta(days=100))
    exam = TODAY + timedelta(days=10)
    assert sm2_safe(state, 5, TODAY, exam_on=exam).due_on == exam - timedelta(days=1)
    assert sm2_safe(state, 5, TODAY, exam_on=TODAY + timedelta(days=1)).due_on is None
    assert sm2_safe(state, 1, TODAY, exam_on=TODAY).due_on is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400)), max_size=40), st.none() | st.integers(-5, 500))
def test_safe_holds_its_promises_on_any_history(answers, exam_in):
    state, on = NEW, TODAY
    exam = None if exam_in is None else TODAY + timedelta(days=exam_in)
    for quality, days_later in answers:
        on += timedelta(days=days_later)
        before, state = state, sm2_safe(state, quality, on, exam_on=exam)
        assert 1 <= state.interval_days <= max(CAP_DAYS, 1)
        if state.due_on is not None and state.changed_on == on:
            assert state.due_on >= on + timedelta(days=1)
            assert exam is None or state.due_on < exam
        if exam is None and quality >= 3 and 2 <= before.interval_days < CAP_DAYS and before.changed_on != on:
            assert state.interval_days > before.interval_days
