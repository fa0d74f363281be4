import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science import guard
from osler.science.logits import sigmoid

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


@pytest.mark.parametrize(("advantage", "weight"), [(-50.0, 0.05), (0.0, 0.5), (50.0, 0.95)])
def test_new_parameters_share_a_tenth_of_the_weight_and_keep_what_was_passed(advantage, weight):
    state = guard.refitted(guard.Guard(passed=5, n=9, advantage=advantage))
    assert (state.passed, state.n) == (5, 9)
    assert sigmoid(state.advantage) == pytest.approx(weight)


@given(st.lists(st.tuples(chances, st.booleans()), min_size=1, max_size=200), st.integers(5, 60))
def test_with_refits_the_sum_exceeds_the_running_mean_by_ln_2_and_a_twentieth_a_refit(reviews, every):
    state, served, mean, refits = guard.Guard(), 0.0, 0.0, 0
    for number, (forecast, passed) in enumerate(reviews, start=1):
        served += log_loss(guard.served(state, forecast), passed)
        mean += log_loss(state.running_mean, passed)
        state = guard.update(state, forecast, passed)
        if number % every == 0:
            state, refits = guard.refitted(state), refits + 1
    assert served <= mean + math.log(2) - refits * math.log(0.95) + 1e-9
