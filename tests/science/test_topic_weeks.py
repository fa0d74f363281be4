"""Spacing and interleaving of a topic's week."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from osler.science.topic_weeks import index_of_week_before, interleaving, spacing, week_of

MONDAY = date(2026, 11, 16).toordinal()
WEEK = week_of(MONDAY)


def test_spacing_is_the_share_of_repeats_a_day_or_more_later():
    days = [MONDAY, MONDAY, MONDAY + 1, MONDAY + 3, MONDAY + 3]
    assert spacing(days, ["a", "a", "a", "a", "b"], ["t"] * 5) == {("t", WEEK): pytest.approx(2 / 3)}
    assert spacing(days[:3], ["a"] * 3, ["t"] * 3) == {}, "two repeats are too few"


def test_interleaving_is_one_under_shuffling_and_less_in_blocks():
    rng = np.random.default_rng(0)
    sessions = np.repeat(np.arange(200), 20).tolist()
    days = [MONDAY] * 4000
    mixed = [t for _ in range(200) for t in rng.permutation(["a", "b"] * 10).tolist()]
    assert interleaving(days, sessions, mixed)["a", WEEK] == pytest.approx(1.0, abs=0.05)
    blocks = (["a"] * 10 + ["b"] * 10) * 200
    assert interleaving(days, sessions, blocks)["a", WEEK] == pytest.approx(0.2)
    assert interleaving([MONDAY] * 9, [1] * 9, ["a"] * 9) == {}, "nothing else was there to mix with"


def test_an_answer_is_told_of_the_week_before_alone():
    index, number = index_of_week_before(
        {("t", WEEK): 0.5}, [MONDAY, MONDAY + 7, MONDAY + 14, MONDAY + 7], ["t", "t", "t", None]
    )
    assert np.isnan(index).tolist() == [True, False, True, True]
    assert number.tolist() == [-1, 0, -1, -1]
