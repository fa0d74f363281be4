"""When may something found be said: variances by session, shrinkage, two runs in a row, at most three."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from osler.analytics.patterns.model import weekly_run
from osler.science.insight import Candidate, Groups, compare
from osler.science.insights_math import arm, contrast, shrink

MONDAY = date(2026, 1, 5)


def test_answers_of_a_session_are_not_counted_as_independent():
    rng = np.random.default_rng(2)
    session = np.repeat(np.arange(20), 30)
    e = np.repeat(rng.normal(0, 0.2, 20), 30) + rng.normal(0, 0.4, 600)
    found = arm(e, e, session)
    assert found is not None
    assert found.variance > 3 * e.var() / e.size


def test_of_two_clusterings_the_larger_variance_counts():
    rng = np.random.default_rng(2)
    session = np.repeat(np.arange(20), 30)
    e = np.repeat(rng.normal(0, 0.2, 20), 30) + rng.normal(0, 0.4, 600)
    mixed = rng.permutation(session)
    by_session, by_both = arm(e, e, session), arm(e, e, mixed, session)
    assert by_session is not None
    assert by_both is not None
    assert by_both.variance == by_session.variance


def test_the_cluster_variance_and_the_contrast_by_hand():
    one = arm(np.array([0.2, 0.4, -0.2, 0.0]), np.ones(4), np.array([0, 0, 1, 1]))
    assert one is not None
    assert one.mean == pytest.approx(0.1)
    assert one.variance == pytest.approx(2 * (0.4**2 + 0.4**2) / 16)
    found = contrast(one, one)
    assert (found.difference, found.df, found.p_value) == pytest.approx((0.0, 2.0, 1.0))
    assert arm(np.ones(5), np.ones(5), np.zeros(5, dtype=int)) is None


def test_shrinking_keeps_the_sign_and_makes_it_smaller():
    found = shrink(0.08, 0.03**2, 0.03)
    assert found.value == pytest.approx(0.04)
    assert found.high - found.value == pytest.approx(1.6449 * 0.03 / np.sqrt(2), rel=1e-3)


def candidate(rng, effect, name="x"):
    n, g = 4000, 40
    session = np.repeat(np.arange(2 * g), n // g // 2)
    one = session < g
    e = effect * one + rng.normal(0, 0.1, session.size)
    return compare(name, e, e, session, [Groups("late", one, ~one, 5, 50)])


def test_shown_after_two_runs_in_a_row_and_withdrawn_after_two_that_fail():
    rng = np.random.default_rng(0)
    strong, weak = candidate(rng, 0.08), candidate(rng, 0.0)
    state = {}
    shown = []
    for w, look in enumerate([strong, weak, strong, strong, weak, strong, weak, weak]):
        state = weekly_run([look], state, MONDAY + timedelta(weeks=w))
        shown.append(state["x"].shown)
    assert shown == [False, False, False, True, True, True, True, False]


def test_an_effect_under_two_points_is_not_shown_however_sure():
    tiny = candidate(np.random.default_rng(1), 0.012)
    state = weekly_run([tiny], weekly_run([tiny], {}, MONDAY), MONDAY + timedelta(weeks=1))
    assert not state["x"].shown


def test_at_most_three_are_shown_the_surest_first():
    rng = np.random.default_rng(3)
    looks = [candidate(rng, effect, name) for name, effect in zip("abcd", (0.06, 0.09, 0.07, 0.08), strict=True)]
    state = weekly_run(looks, weekly_run(looks, {}, MONDAY), MONDAY + timedelta(weeks=1))
    assert {name for name, insight in state.items() if insight.shown} == {"b", "c", "d"}


def test_what_has_no_data_is_not_shown():
    state = weekly_run([Candidate("sleep", "not_available", enabled_by="day_report.sleep_minutes")], {}, MONDAY)
    assert not state["sleep"].shown
