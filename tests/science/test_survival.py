"""Kaplan–Meier: the textbook example, and what leaving learners out would do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.survival import kaplan_meier

# Freireich 1963, 6-MP arm: weeks, relapse (1) or censored (0)
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_the_textbook_curve():
    curve = kaplan_meier(WEEKS, RELAPSE)
    assert curve is not None
    assert curve.times == (6, 7, 10, 13, 16, 22, 23)
    assert curve.surviving == pytest.approx((0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448), abs=5e-4)
    assert curve.median == 23
    assert (curve.n, curve.events) == (21, 9)
    assert all(low <= s <= high for low, s, high in zip(curve.low, curve.surviving, curve.high, strict=True))


def test_leaving_out_the_unfinished_makes_it_look_quick():
    rng = np.random.default_rng(0)
    true = rng.exponential(50, 2000)
    seen = rng.uniform(5, 60, 2000)
    curve = kaplan_meier(np.minimum(true, seen), true <= seen)
    assert curve is not None
    assert curve.median == pytest.approx(50 * np.log(2), rel=0.12)
    assert curve.median is not None
    assert np.median(true[true <= seen]) < 0.6 * curve.median


def test_no_median_while_half_have_not_arrived():
    curve = kaplan_meier([1, 2, 3, 4, 5, 6], [1, 0, 0, 0, 0, 0])
    assert curve is not None
    assert curve.median is None
    assert kaplan_meier([], []) is None


def test_the_restricted_mean_is_the_area():
    curve = kaplan_meier([10, 30, 200, 200], [1, 1, 0, 0], restricted_to=100)
    assert curve is not None
    assert curve.restricted_mean == pytest.approx(10 + 20 * 0.75 + 70 * 0.5)


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=40))
def test_a_curve_falls_inside_its_bounds_and_without_the_unfinished_it_is_the_share_left(rows):
    time, event = zip(*rows, strict=True)
    curve = kaplan_meier(time, event)
    assert curve is not None
    assert all(a >= b for a, b in zip((1.0, *curve.surviving), curve.surviving, strict=False))
    assert all(0 <= low <= s <= high <= 1 for low, s, high in zip(curve.low, curve.surviving, curve.high, strict=True))
    assert 0 <= curve.restricted_mean <= curve.restricted_to
    done = kaplan_meier(time, [True] * len(time))
    assert done is not None
    left = [float(np.mean(np.array(time) > at)) for at in done.times]
    assert done.surviving == pytest.approx(left)
    assert done.restricted_mean == pytest.approx(np.mean(time))
