"""Habits: golden values by hand, and too little data is None."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from osler.science.circular import usual_hour
from osler.science.rates import poisson_rate
from osler.science.study_habits import (
    consistency,
    cramming_index,
    efficiency,
    focus_score,
    interleaving_index,
    is_study_day,
    longest_streak,
    preference,
    quartiles,
    spacing_index,
    streak,
)
from osler.science.trend import theil_sen

DAY = date(2026, 3, 10)


def test_rates_have_the_exact_poisson_interval():
    rate = poisson_rate(10, 2.0)
    assert rate is not None
    assert (rate.value, rate.low, rate.high) == pytest.approx((5.0, 5.4254 / 2, 16.9622 / 2), abs=1e-3)
    none_seen = poisson_rate(0, 1.0)
    assert none_seen is not None
    assert (none_seen.low, none_seen.high) == pytest.approx((0.0, 2.9957), abs=1e-3)
    assert poisson_rate(5, 0.5) is None


def test_the_trend_ignores_one_odd_week_and_agrees_with_scipy():
    from scipy.stats import theilslopes

    x, y = list(range(8)), [0.50, 0.52, 0.54, 0.95, 0.58, 0.60, 0.62, 0.64]
    slope = theil_sen(x, y)
    assert slope is not None
    assert slope.value == pytest.approx(0.02)
    oracle: Any = theilslopes(y, x, alpha=0.90)  # SciPy's stubs know the result as a plain tuple
    assert slope.value == pytest.approx(oracle.slope)
    assert slope.low <= oracle.low_slope <= oracle.high_slope <= slope.high
    assert theil_sen([1, 2, 3], [1, 2, 3]) is None


def test_midnight_is_the_mean_of_eleven_at_night_and_one():
    usual = usual_hour([23.5, 0.5])
    assert usual is not None
    assert usual.hour == pytest.approx(0.0)
    assert usual_hour([0.0, 12.0]).hour is None  # pyright: ignore[reportOptionalMemberAccess]
    assert usual_hour([]) is None


def test_a_day_still_open_does_not_break_the_streak():
    days = [DAY - timedelta(days=i) for i in (1, 2, 3, 5)]
    assert streak(days, DAY) == 3
    assert streak([*days, DAY], DAY) == 4
    assert streak(days, DAY + timedelta(days=1)) == 0
    assert longest_streak(days) == 3
    assert consistency(days, DAY) == (4, 28)
    assert is_study_day(10, 0)
    assert is_study_day(0, 10)
    assert not is_study_day(9.9, 9)


def test_indices():
    assert spacing_index([0, 1, 2, 0]) == 0.5
    assert spacing_index([]) is None
    assert interleaving_index([["a"] * 10 + ["b"] * 10]) == pytest.approx(0.1)
    assert interleaving_index([["a", "b"] * 9]) is None
    assert interleaving_index([["a"] * 30]) is None
    even = {DAY - timedelta(days=i): 30.0 for i in range(1, 40)}
    assert cramming_index(even, DAY) == 0.25
    assert cramming_index({}, DAY) is None


def test_shuffled_topics_have_an_interleaving_index_of_one():
    rng = np.random.default_rng(0)
    sessions = [rng.permutation(["a"] * 12 + ["b"] * 8 + ["c"] * 5).tolist() for _ in range(400)]
    assert interleaving_index(sessions) == pytest.approx(1.0, abs=0.02)


def test_ratios_without_a_base_are_none():
    assert efficiency([], []) is None
    assert focus_score(0.9, 0, 1.0, signals=False) is None
    assert focus_score(0.9, 0, 1.0, signals=True) == pytest.approx(90)
    assert focus_score(1.0, 1000, 1.0, signals=True) == pytest.approx(50)
    assert quartiles([]) is None


def test_preference_is_a_share_with_its_interval_and_repeats_by_seed():
    sessions = [{"text": 60.0, "cards": 40.0}] * 6 + [{"cards": 100.0}] * 6
    first, again = preference(sessions, seed=1), preference(sessions, seed=1)
    assert first == again
    share, low, high = first["text"]
    assert share == pytest.approx(0.3)
    assert low < share < high
    assert preference([], seed=1) == {}
