"""τ: what weeks differ by beyond chance, and never less than the start value."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.topic_strength import START_TAU
from osler.science.weekly_error import WeeklyError, scan, seen, tau, week_of

reviews = st.lists(
    st.tuples(st.integers(0, 40), st.floats(0.01, 0.99), st.booleans(), st.booleans()), max_size=400
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def after(weeks: list[tuple[int, int]], *, chance: float = 0.5) -> WeeklyError:
    """The state after weeks of (passed, failed) reviews, and the first review of the week that follows."""
    known = WeeklyError()
    for week, (passed, failed) in enumerate(weeks, start=1):
        for hit in (*[True] * passed, *[False] * failed):
            known = seen(known, week, chance, hit)
    return seen(known, known.week + 1, chance, True)


def test_golden_eight_weeks_by_hand():
    """14 and 6 of 20 passed in turn at R = .5: each week y - R sums to 4 or -4, R (1 - R) to 5.

    Q = 8 · 16/5 = 25.6, weight 40 - 200/40 = 35, found (25.6 - 7)/35 = .531429. A week is 7/35 = .2 of chance beside
    .0625: it counts (.0625/.2625)² = .0566893, seven of them .396825. τ² = (8 · .0625 + .396825 · .531429)/8.396825.
    """
    assert tau(after([(14, 6), (6, 14)] * 4)) == pytest.approx(0.2909658, abs=1e-7)


def test_the_start_value_holds_until_eight_weeks_are_over():
    seven = after([(20, 0), (0, 20)] * 3 + [(20, 0)])
    assert (seven.weeks, tau(seven)) == (7, START_TAU)
    eight = after([(20, 0), (0, 20)] * 4)
    assert eight.weeks == 8
    assert tau(eight) > START_TAU


def test_weeks_that_differ_by_chance_alone_or_by_less_leave_the_start_value():
    assert tau(after([(10, 10)] * 30)) == START_TAU
    assert tau(after([(12, 8), (8, 12)] * 15)) == START_TAU


def test_a_forecast_that_is_always_too_high_is_no_spread_between_weeks():
    """What is the same in all weeks is the bias's to correct."""
    assert tau(after([(60, 40)] * 20, chance=0.9)) == START_TAU


def test_many_weeks_of_many_reviews_say_what_the_sd_is():
    """Weeks of 2,000 reviews off by .5 logits up and down in turn: the start value is forgotten."""
    up, down = (round(2000 / (1 + np.exp(-off))) for off in (0.5, -0.5))
    assert tau(after([(up, 2000 - up), (down, 2000 - down)] * 100)) == pytest.approx(0.5, abs=0.02)


def test_a_thin_week_is_joined_with_those_after_it():
    thin = after([(7, 0), (0, 7), (7, 0), (0, 7)])
    assert (thin.weeks, thin.n, thin.week) == (1, 8, 5)
    assert thin.informations == pytest.approx(21 * 0.25)


def test_weeks_of_few_sure_reviews_never_make_an_interval_useless():
    """The plain sd of such weeks is 3 logits; a single lapse among reviews forecast at .98 is chance."""
    rng = np.random.default_rng(0)
    known = WeeklyError()
    for week in range(1, 60):
        for hit in rng.random(10) < 0.98:
            known = seen(known, week, 0.98, bool(hit))
    assert known.weeks >= 25
    assert START_TAU <= tau(known) < 0.3


def test_a_review_of_an_earlier_week_counts_to_the_open_one():
    known = seen(seen(WeeklyError(), 5, 0.5, True), 4, 0.5, True)
    assert (known.week, known.n, known.weeks) == (5, 2, 0)


def test_weeks_begin_on_monday():
    sunday, monday = 738_000 - 738_000 % 7, 738_001 - 738_000 % 7
    assert week_of(monday) == week_of(sunday) + 1 == week_of(monday + 6)


@given(reviews)
def test_the_scan_of_a_history_is_the_fold_review_by_review(rows):
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    week, forecast, passed, next_day = (
        np.array(values, dtype=kind) for values, kind in zip(columns, (np.int64, float, bool, bool), strict=True)
    )
    known, alone = WeeklyError(), list[float]()
    for of, chance, hit, teaches in rows:
        known = seen(known, of, chance, hit) if teaches else known
        alone.append(tau(known))
    assert scan(week, forecast, passed, next_day).tolist() == alone
    assert all(one >= START_TAU for one in alone)


@given(reviews, st.sets(st.integers(0, 399)))
def test_a_state_that_is_stored_and_read_again_anywhere_ends_the_same(rows, stored_at):
    """A fold of many batches, and one that goes on from a checkpoint."""
    whole = cut = WeeklyError()
    for place, (of, chance, hit, _) in enumerate(rows):
        whole, cut = seen(whole, of, chance, hit), seen(cut, of, chance, hit)
        if place in stored_at:
            cut = msgspec.json.decode(msgspec.json.encode(cut), type=WeeklyError)
    assert cut == whole
    assert tau(cut) == tau(whole)
