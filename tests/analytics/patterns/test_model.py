"""Insights: noise is not shown in a year, a planted effect is, and what has no data says what it lacks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from osler.analytics.patterns.model import (
    Answers,
    Later,
    best_time_of_day,
    ideal_session_length,
    index_and_retention,
    notes_and_retention,
    preferred_and_retained,
    rest,
    sleep,
    unbroken_hour,
    weekly_run,
)
from osler.analytics.patterns.wording import sentence
from osler.science.insight import Candidate
from osler.science.insights_math import arm, contrast, shrink

MONDAY = date(2026, 1, 5)


def year_of_answers(rng, *, weeks=52, sessions_a_week=7, answers=22, morning=0.0, after_hour=0.0):
    """A learner's year: sessions at changing hours, with a good or bad day each (shared in the session)."""
    sessions = weeks * sessions_a_week
    hour = np.repeat(rng.choice([8.0, 14.0, 19.0], sessions), answers)
    minute = np.tile(np.linspace(0, 85, answers), sessions)
    form = np.repeat(rng.normal(0, 0.25, sessions), answers)
    p = rng.uniform(0.45, 0.85, sessions * answers)
    true = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + form)))
    true = np.clip(true + morning * (hour == 8.0) + after_hour * (minute > 60), 0.02, 0.98)
    y = (rng.random(p.size) < true).astype(float)
    week = np.repeat(np.arange(sessions) // sessions_a_week, answers)
    return week, Answers(y, p, np.repeat(np.arange(sessions), answers), hour, minute, minute)


def cut(a, mask):
    return Answers(a.correct[mask], a.forecast[mask], a.session[mask], a.hour[mask], a.active_minutes[mask],
                   a.unbroken_minutes[mask])  # fmt: skip


def simulate_year(rng, **effects):
    week, answers = year_of_answers(rng, **effects)
    state, shown = {}, set()
    for w in range(12, 52):
        window = cut(answers, (week > w - 13) & (week <= w))
        looks = [best_time_of_day(window), ideal_session_length(window), unbroken_hour(window)]
        looks.append(Candidate("sleep", "not_available"))
        state = weekly_run(looks, state, MONDAY + timedelta(weeks=w))
        shown |= {name for name, insight in state.items() if insight.shown}
    return shown, state


def test_at_most_one_in_twenty_learners_without_effects_is_shown_anything_in_a_year():
    rng = np.random.default_rng(11)
    learners = 60
    fooled = sum(bool(simulate_year(rng)[0]) for _ in range(learners))
    assert fooled <= 0.05 * learners


def test_a_planted_effect_of_eight_points_is_shown_and_said_as_an_association():
    rng = np.random.default_rng(5)
    found = [simulate_year(rng, morning=0.08) for _ in range(6)]
    assert sum("best_time_of_day" in shown for shown, _ in found) >= 5
    state = next(state for shown, state in found if state["best_time_of_day"].shown)
    said = sentence(state["best_time_of_day"].candidate)
    assert said is not None
    assert said.code == "patterns.best_time_of_day"
    assert "associated with" in said.text
    assert not any(word in said.text for word in ("because", "makes", "improves"))
    low, effect, high = (said.params[name] for name in ("low", "effect", "high"))
    assert isinstance(low, float)
    assert isinstance(effect, float)
    assert isinstance(high, float)
    assert low <= effect <= high


def test_answers_of_a_session_are_not_counted_as_independent():
    rng = np.random.default_rng(2)
    session = np.repeat(np.arange(20), 30)
    e = np.repeat(rng.normal(0, 0.2, 20), 30) + rng.normal(0, 0.4, 600)
    found = arm(e, e, session)
    assert found is not None
    assert found.variance > 3 * e.var() / e.size


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
    from osler.science.insight import Groups, compare

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


def test_what_has_no_data_is_not_listed_and_names_what_would_enable_it():
    nothing = np.zeros(0)
    missing = [sleep(nothing, nothing, nothing.astype(int), None), notes_and_retention(None),
               preferred_and_retained(None, {})]  # fmt: skip
    assert [c.status for c in missing] == ["not_available"] * 3
    assert missing[0].enabled_by == "day_report.sleep_minutes"
    state = weekly_run(missing, {}, MONDAY)
    assert not any(insight.shown for insight in state.values())
    assert sentence(missing[0]) is None


def test_too_few_sessions_say_nothing():
    rng = np.random.default_rng(4)
    _, answers = year_of_answers(rng, weeks=1, sessions_a_week=4)
    assert best_time_of_day(answers).status == "insufficient_data"


def test_the_ideal_length_is_the_start_of_the_first_falling_bin():
    rng = np.random.default_rng(6)
    _, answers = year_of_answers(rng, weeks=26, sessions_a_week=14, after_hour=-0.12)
    found = ideal_session_length(answers)
    assert found.extra["ideal_minutes"] == 60
    _, flat = year_of_answers(rng, weeks=26)
    assert ideal_session_length(flat).extra["seen_up_to_minutes"] == 90


def test_a_break_is_judged_against_no_break():
    rng = np.random.default_rng(7)
    regress = rng.normal(0.10, 0.15, 400)  # everyone recovers, with or without a break
    kind = np.where(np.arange(400) < 200, "5-10", "none")
    found = rest(regress, kind, np.arange(400))
    assert found.best is not None
    assert not found.best.effect.excludes_zero


def test_a_most_used_type_that_is_best_retained_makes_no_insight():
    rng = np.random.default_rng(8)
    kind = np.repeat(["video", "text"], 400)
    y = (rng.random(800) < np.where(kind == "video", 0.85, 0.6)).astype(float)
    later = Later(y, np.full(800, 0.7), np.repeat(np.arange(80), 10), np.zeros(800, dtype=bool), kind)
    assert preferred_and_retained(later, {"video": 0.8, "text": 0.2}).comparisons == ()
    swapped = preferred_and_retained(later, {"video": 0.2, "text": 0.8})
    assert swapped.best is not None
    assert swapped.best.name == "video"


def test_topic_weeks_need_twelve_an_arm():
    index = np.linspace(0, 1, 23)
    assert index_and_retention("spacing", index, index, index).status == "insufficient_data"
