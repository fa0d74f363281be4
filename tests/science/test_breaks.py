"""Places with and without a break, and what of a bad stretch would have gone on."""

from __future__ import annotations

import numpy as np
import pytest

from osler.science.breaks import Break, Series, carried_over, splits


def series(sessions, residual=None, day=0):
    """Sessions of so many answers a minute apart, two hours between their starts."""
    session = np.repeat(np.arange(len(sessions)), sessions)
    started = np.asarray(session * 7200.0, dtype=np.float64)
    at = np.asarray(started + np.concatenate([np.arange(n) * 60.0 for n in sessions]), dtype=np.float64)
    residual = np.zeros(at.size) if residual is None else residual
    return Series(at, started, residual, (residual > 0).astype(float), session, np.full(at.size, day))


def test_a_place_has_ten_answers_of_the_session_on_each_side():
    assert splits(series([19]), []).kind.size == 0
    found = splits(series([25]), [])
    assert found.kind.tolist() == ["none"] * 6
    assert found.minute.tolist() == [9.0, 10.0, 11.0, 12.0, 13.0, 14.0]


def test_the_ten_after_are_those_after_the_break():
    residual = np.repeat([-0.2, 0.4], [12, 10])
    given = series([22], residual)
    found = splits(given, [Break(float(given.at[12]) - 5, 420.0, is_between=False)])
    at = found.kind.tolist().index("5-10")
    assert found.before[at] == pytest.approx(-0.2)
    assert found.after[at] == pytest.approx(0.4)
    assert found.right[at] == 1.0


def test_a_place_shortly_after_another_break_is_left_out_and_one_before_it_is_not():
    given = series([40])
    found = splits(given, [Break(float(given.at[20]) - 5, 420.0, is_between=False)])
    assert found.minute.tolist() == [*range(9, 20), *[29.0]]


def test_a_break_between_two_sessions_of_a_day_has_ten_in_each():
    given = series([12, 12])
    between = Break(7200.0, 3600.0, is_between=True)
    assert splits(given, [between]).kind.tolist() == ["none"] * 0 + ["30-120"]
    assert splits(given, []).kind.size == 0


def test_what_is_carried_over_is_a_slope_of_places_without_a_break():
    rng = np.random.default_rng(0)
    form = np.repeat(rng.normal(0, 0.3, 300), 20)
    alike = splits(series([20] * 300, form), [])
    assert carried_over(alike) == pytest.approx(1.0)
    chance = splits(series([20] * 300, rng.normal(0, 0.4, 6000)), [])
    assert carried_over(chance) < 0.15
