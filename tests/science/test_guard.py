import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science import guard

chances = st.floats(0.0, 1.0)


def log_loss(p: float, passed: bool) -> float:
    held = min(max(p, 1e-4), 1 - 1e-4)
    return -math.log(held if passed else 1 - held)


@given(st.lists(st.tuples(chances, st.booleans()), max_size=200))
def test_whatever_happens_the_sum_exceeds_neither_expert_by_more_than_ln_2(reviews):
    state, served, model, mean = guard.Guard(), 0.0, 0.0, 0.0
    for forecast, passed in reviews:
        served += log_loss(guard.served(state, forecast), passed)
        model += log_loss(forecast, passed)
        mean += log_loss(state.running_mean, passed)
        state = guard.update(state, forecast, passed)
    assert served <= min(model, mean) + math.log(2) + 1e-9


def test_a_model_that_is_always_wrong_hands_over_to_the_running_mean():
    state = guard.Guard()
    for _ in range(50):
        state = guard.update(state, 0.2, True)
    assert guard.served(state, 0.2) == pytest.approx(state.running_mean, abs=1e-6)


def test_the_scan_equals_one_by_one_and_lets_other_rows_pass():
    rng = np.random.default_rng(0)
    forecast, passed, next_day = rng.random(300), rng.random(300) < 0.8, rng.random(300) < 0.7
    forecast[~next_day] = np.nan
    served, end = guard.scan(forecast, passed, next_day)
    state = guard.Guard()
    for row in range(300):
        if not next_day[row]:
            assert np.isnan(served[row])
            continue
        assert served[row] == guard.served(state, float(forecast[row]))
        state = guard.update(state, float(forecast[row]), bool(passed[row]))
    assert state == end
    half = guard.scan(forecast[:150], passed[:150], next_day[:150])[1]
    assert guard.scan(forecast[150:], passed[150:], next_day[150:], guard=half)[1] == end


def test_the_running_mean_starts_at_nine_tenths_and_uses_only_what_came_before():
    passed, next_day = np.array([True, False, True, True]), np.array([False, True, True, True])
    np.testing.assert_allclose(guard.running_mean(passed, next_day), [0.9, 0.9, 9 / 11, 10 / 12])
    assert guard.Guard().running_mean == 0.9


def test_new_parameters_start_even_and_keep_what_was_passed():
    assert guard.refitted(guard.Guard(passed=5, n=9, advantage=-3.0)) == guard.Guard(5, 9, 0.0)
