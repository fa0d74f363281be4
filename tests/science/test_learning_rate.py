"""Does the practice curve reach its target where it says, and say never where it does not?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science import learning_rate
from osler.science.learning_rate import Practice, after_practice, attempts_to, days_to, draw_attempts, hours_to


@given(st.floats(-3, 3), st.floats(0.1, 2), st.integers(0, 300), st.floats(0.1, 1))
def test_the_attempts_lead_to_the_target(eta: float, missing: float, n: int, gamma: float) -> None:
    needed = attempts_to(eta, eta + missing, n, gamma)
    assert after_practice(eta, n, needed, gamma) == pytest.approx(eta + missing)


def test_at_the_target_nothing_is_needed_and_without_gain_it_never_comes() -> None:
    assert attempts_to(1.0, 0.5, 3, 0.2) == 0.0
    assert attempts_to(0.0, 0.5, 3, 0.0) == math.inf
    assert attempts_to(0.0, 0.5, 3, -0.2) == math.inf


def test_draws_are_seeded_and_centred_on_the_closed_form() -> None:
    practice = Practice(0.0, 1e-12, 9, 60.0, 0.25, 0.0)
    attempts, _ = draw_attempts(practice, 0.5, seed=4)
    assert attempts == pytest.approx(63.891, abs=0.01)
    again, _ = draw_attempts(practice, 0.5, seed=4)
    assert (attempts == again).all()


def test_days_and_hours_are_ordered_and_cut_at_the_horizon() -> None:
    practice = Practice(0.0, 0.3, 20, 60.0)
    days = days_to(practice, 1.0, planned_seconds_per_day=1800.0, seed=0)
    hours = hours_to(practice, 1.0, seed=0)
    assert hours.low is not None
    assert hours.median is not None
    assert days.low == pytest.approx(hours.low * 2)
    assert days.high is None
    assert days.median == pytest.approx(hours.median * 2)
    assert days_to(practice, 1.0, planned_seconds_per_day=1800.0, seed=0, horizon_days=1.0).median is None


def test_reviews_and_reading_are_added() -> None:
    practice = Practice(2.0, 0.0, 20, 60.0, gamma_sd=0.0)
    assert hours_to(practice, 1.0, seed=0, extra_seconds=7200.0).median == pytest.approx(2.0)


@pytest.mark.parametrize("change", [{"eta": math.nan}, {"variance": -1.0}, {"n": -1}, {"seconds_per_attempt": 0.0}])
def test_what_makes_no_sense_is_refused(change: dict[str, float]) -> None:
    base = {"eta": 0.0, "variance": 0.1, "n": 3, "seconds_per_attempt": 60.0}
    with pytest.raises(InvalidModelInput):
        Practice(**(base | change))  # type: ignore[arg-type]
    with pytest.raises(InvalidModelInput):
        days_to(Practice(0, 0, 0, 1), 1.0, planned_seconds_per_day=0.0, seed=0)
    with pytest.raises(InvalidModelInput):
        learning_rate.target_logit(1.0)


def test_a_topics_rate_is_pulled_to_its_parents() -> None:
    assert learning_rate.shrunk_gamma(0.6, 0, 0.25) == 0.25
    assert learning_rate.shrunk_gamma(0.6, 200, 0.2) == pytest.approx(0.4)
