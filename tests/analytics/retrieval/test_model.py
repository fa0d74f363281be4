"""One item through its reviews: golden paths, same day, cramming, resets, clocks that go back."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval import model
from osler.analytics.retrieval.model import ItemMemory, Review, update

KEY = ItemKey("card", "c1")
START = datetime.fromisoformat("2026-03-02T08:00:00+00:00")


def review(rating: int, day: float, **more) -> Review:
    at = START + timedelta(days=day)
    return Review(KEY, at, at.date(), rating, {1: 1, 2: 3, 3: 4, 4: 5}[rating], rating > 1, **more)


def folded(*reviews: Review, bias: float = 0.0) -> tuple[ItemMemory, float, list[float | None]]:
    memory, forecasts = None, []
    for one in reviews:
        step = update(memory, one, bias)
        memory, bias = step.memory, step.bias
        forecasts.append(step.forecast)
    assert memory is not None
    return memory, bias, forecasts


def test_the_golden_path_of_fsrs_and_sbd():
    memory, _, forecasts = folded(review(3, 0), review(3, 2), review(3, 13), review(1, 59), review(3, 60))
    assert memory.state is not None
    assert memory.state.fsrs.stability == pytest.approx(4.959883, abs=1e-6)
    assert memory.state.fsrs.difficulty == pytest.approx(7.377814, abs=1e-6)
    assert forecasts[0] is None
    assert (memory.right, memory.wrong, memory.lapses, memory.review_days) == (4, 1, 1, 5)


def test_only_reviews_of_a_later_day_move_the_correction():
    _, bias, _ = folded(review(3, 0), review(3, 0.01))
    assert bias == 0.0
    _, bias, (_, forecast) = folded(review(3, 0), review(1, 2))
    assert forecast is not None
    assert bias == pytest.approx(-0.02 * forecast)


def test_the_first_failure_of_an_item_is_no_lapse():
    assert folded(review(1, 0))[0].lapses == 0
    assert folded(review(3, 0), review(1, 3))[0].lapses == 1


def test_cramming_counts_as_an_attempt_and_moves_no_memory():
    before, _, _ = folded(review(3, 0))
    after, bias, _ = folded(review(3, 0), review(1, 1, moves_memory=False))
    assert after.state == before.state
    assert (after.attempts, after.lapses, bias) == (2, 0, 0.0)


def test_a_reset_begins_the_memory_anew_and_keeps_the_counts():
    memory, _, forecasts = folded(review(3, 0), review(3, 5), review(1, 6, is_reset=True), review(3, 7))
    assert memory.state == folded(review(3, 0))[0].state
    assert forecasts[-1] is None
    assert (memory.attempts, memory.review_days, memory.first_at) == (3, 1, START)


def test_a_clock_that_goes_back_counts_as_no_time():
    memory, _, _ = folded(review(3, 5), review(3, 3))
    assert memory.last_at == START + timedelta(days=5)
    assert memory.review_days == 1


def test_sm2_is_the_briefs_and_its_stored_interval_ends():
    memory, _, _ = folded(*(review(4, day) for day in range(40)))
    assert memory.sm2_interval_days == model.LONGEST_SM2_DAYS
    assert model.sm2_next("question", memory) is not None
    assert folded(review(3, 0), review(3, 1), review(3, 7))[0].sm2_interval_days == 9


def test_sm2_calls_no_card_that_is_suspended():
    memory, _, _ = folded(review(3, 0), review(3, 1))
    assert model.sm2_next("card", memory) is None
    assert model.sm2_next("card", msgspec.structs.replace(memory, due_on=START.date())) is not None


def test_nothing_is_said_of_an_item_that_was_never_reviewed():
    memory, _, _ = folded(review(3, 0, moves_memory=False))
    assert model.recall(memory, START, START.date(), 0.0) is None


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 40)), min_size=1, max_size=30))
def test_every_forecast_is_a_probability_and_the_correction_stays_bounded(steps: list[tuple[int, float]]):
    day, reviews = 0.0, []
    for rating, wait in steps:
        day += wait
        reviews.append(review(rating, day))
    memory, bias, forecasts = folded(*reviews)
    assert all(f is None or 0.0 < f < 1.0 for f in forecasts)
    assert -2.0 <= bias <= 2.0
    assert memory.attempts == len(steps)
