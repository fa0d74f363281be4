"""The contrasts of a weekly look: what each needs, what it compares, and what it says when data are missing."""

from __future__ import annotations

import numpy as np

from osler.analytics.patterns.contrasts import (
    Answers,
    Later,
    best_time_of_day,
    ideal_session_length,
    index_and_retention,
    notes_and_retention,
    preferred_and_retained,
    rest,
    sleep,
)
from osler.analytics.patterns.wording import sentence
from osler.science.breaks import Splits

NOTHING = np.zeros(0)
NOBODY = Answers(NOTHING, NOTHING, NOTHING.astype(int), NOTHING, NOTHING, NOTHING)


def answers_of(rng, *, sessions=364, each=22, after_hour=0.0):
    """Sessions of answers over 85 minutes, at changing hours."""
    hour = np.repeat(rng.choice([8.0, 14.0, 19.0], sessions), each)
    minute = np.tile(np.linspace(0, 85, each), sessions)
    p = rng.uniform(0.45, 0.85, sessions * each)
    true = np.clip(p + after_hour * (minute > 60), 0.02, 0.98)
    y = (rng.random(p.size) < true).astype(float)
    return Answers(y, p, np.repeat(np.arange(sessions), each), hour, minute, minute)


def later_of(rng, materials=40, each=5, *, noted=0.0, video=0.0):
    """First next-day answers of materials, every second with notes, the first half videos."""
    n = materials * each
    material = np.repeat(np.arange(materials), each)
    has_notes, is_video = material % 2 == 0, material < materials // 2
    y = (rng.random(n) < 0.6 + noted * has_notes + video * is_video).astype(float)
    kind = np.where(is_video, "video", "text")
    return Later(y, np.full(n, 0.6), material, rng.integers(0, 30, n), has_notes, kind)


def test_what_has_no_data_names_what_would_enable_it():
    missing = [
        sleep(NOBODY, NOTHING.astype(int), None),
        notes_and_retention(None, takes_notes=False),
        notes_and_retention(later_of(np.random.default_rng(0)), takes_notes=False),
        preferred_and_retained(None, [], seed=1),
    ]
    assert [c.status for c in missing] == ["not_available"] * 4
    assert [c.enabled_by for c in missing] == [
        "day_report.sleep_minutes", "material_open", "note_taken", "material_open",
    ]  # fmt: skip
    assert sentence(missing[0]) is None


def test_too_few_sessions_say_nothing():
    assert best_time_of_day(answers_of(np.random.default_rng(4), sessions=4)).status == "insufficient_data"


def test_the_ideal_length_is_the_start_of_the_first_falling_bin():
    rng = np.random.default_rng(6)
    assert ideal_session_length(answers_of(rng, after_hour=-0.12)).extra["ideal_minutes"] == 60
    assert ideal_session_length(answers_of(rng, sessions=182)).extra["seen_up_to_minutes"] == 90


def test_notes_need_ten_materials_and_forty_answers_an_arm():
    rng = np.random.default_rng(1)
    assert notes_and_retention(later_of(rng, 18, 10), takes_notes=True).status == "insufficient_data"
    assert notes_and_retention(later_of(rng, 20, 3), takes_notes=True).status == "insufficient_data"
    found = notes_and_retention(later_of(rng, 60, 20, noted=0.2), takes_notes=True)
    assert found.best is not None
    assert found.best.one.clusters == 30
    assert found.best.effect.excludes_zero
    assert found.best.effect.value > 0


def splits_of(kind, change, minute=None, before=None):
    n = len(kind)
    before = np.zeros(n) if before is None else before
    return Splits(
        before, before + change, np.full(n, 0.7), np.asarray(kind), np.full(n, 30.0) if minute is None else minute,
        np.arange(n),
    )  # fmt: skip


def test_a_break_is_judged_against_no_break():
    rng = np.random.default_rng(7)
    everyone_recovers = rng.normal(0.10, 0.15, 400)
    found = rest(splits_of(["5-10"] * 200 + ["none"] * 200, everyone_recovers))
    assert found.best is not None
    assert not found.best.effect.excludes_zero
    assert found.best.one.answers == 200


def test_a_break_is_judged_at_its_own_minute_of_the_session():
    rng = np.random.default_rng(8)
    minute = np.repeat([20.0, 90.0], 200)
    late_is_worse = rng.normal(0, 0.1, 400) - 0.2 * (minute > 60)
    kind = np.where((np.arange(400) % 4 == 0) & (minute > 60), "10-20", "none")
    found = rest(splits_of(kind, late_is_worse, minute))
    assert found.best is not None
    assert not found.best.effect.excludes_zero


def test_ten_breaks_a_bin_are_needed():
    assert rest(splits_of(["5-10"] * 9 + ["none"] * 50, np.zeros(59))).status == "insufficient_data"


def test_a_most_used_type_that_is_best_retained_makes_no_insight():
    later = later_of(np.random.default_rng(9), 80, 10, video=0.25)
    often, seldom = 1800.0, 300.0
    assert preferred_and_retained(later, [{"video": often, "text": seldom}] * 20, seed=1).comparisons == ()
    swapped = preferred_and_retained(later, [{"video": seldom, "text": often}] * 20, seed=1)
    assert swapped.best is not None
    assert swapped.best.name == "video"
    assert swapped.extra["most_used"] == "text"


def test_a_type_that_may_be_used_as_much_is_no_preference():
    later = later_of(np.random.default_rng(9), 80, 10, video=0.25)
    sessions = [{"text": 1000.0}, {"video": 990.0}] * 10
    assert preferred_and_retained(later, sessions, seed=1).comparisons == ()


def test_topic_weeks_need_twelve_an_arm():
    rng = np.random.default_rng(10)
    answers = answers_of(rng, sessions=24, each=10)
    topic_week = answers.session
    index = topic_week / 24
    assert index_and_retention("spacing", index, topic_week, answers).status == "ok"
    fewer = np.where(topic_week < 2, np.nan, index)
    assert index_and_retention("spacing", fewer, topic_week, answers).status == "insufficient_data"
