"""Cohort figures: like with like, bands, Simpson, and nothing about the few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osler.analytics.cohort.model import (
    Band,
    Peer,
    change,
    comparison_group,
    misalignment,
    percentile,
    percentile_band,
    probability_below,
    publish_hours,
    struggling,
    time_to_mastery,
    top_strategies,
    topic_difficulty,
)
from osler.science.beta_binomial import difficulty, fit_prior
from osler.science.disclosure import Gate

GATE = Gate(b"k")
ME = Peer("me", "step1", "2024", 10.0, 1, 400, 0.66, 0.60, 0.72)
PEERS = [replace(ME, user_id=f"p{i}", score=i / 100) for i in range(0, 100, 2)]


def test_like_is_compared_with_like_and_the_learner_is_not_in_the_group():
    others = [
        ME, replace(PEERS[0], weeks_to_exam=14.1), replace(PEERS[1], days_since_active=29),
        replace(PEERS[2], first_attempts=49), replace(PEERS[3], curriculum="old"), replace(PEERS[4], exam_id="step2"),
        PEERS[5],
    ]  # fmt: skip
    assert [peer.user_id for peer in comparison_group(ME, others)] == ["p10"]


def test_the_band_is_as_wide_as_the_learners_own_uncertainty():
    assert percentile_band(ME, PEERS) == Band(0.5, 0.75, 50)
    assert percentile_band(replace(ME, score_low=0.4, score_high=0.92), PEERS) == Band(0.25, 1.0, 50)
    assert percentile_band(replace(ME, score_low=1.0, score_high=1.0), PEERS) == Band(0.9, 1.0, 50)


def test_no_band_under_twenty():
    assert percentile_band(ME, PEERS[:19]) is None
    assert percentile_band(ME, PEERS[:20]) is not None
    assert percentile(0.5, [0.5]) == 0.5


def test_each_cohort_improves_while_the_pooled_mean_falls():
    before = {"strong": [0.80] * 40, "weak": [0.40] * 10}
    after = {"strong": [0.85] * 10, "weak": [0.45] * 40}
    found = change(before, after)
    assert found.by_cohort == pytest.approx({"strong": 0.05, "weak": 0.05})
    assert found.within == pytest.approx(0.05)
    assert found.pooled is not None
    assert found.pooled < 0
    assert found.reversed
    assert not change(before, before).reversed


def test_few_learners_are_never_published():
    nine = {f"p{i}": 0.9 for i in range(9)}
    assert struggling(GATE, "renal", nine, seed=0).share.value is None
    assert time_to_mastery(GATE, nine, dict.fromkeys(nine, True)) is None
    assert topic_difficulty(GATE, {"renal": nine}, seed=0)["renal"][0].value is None
    assert topic_difficulty(GATE, {"renal": nine}, seed=0)["renal"][1] is None


def test_struggle_is_the_mean_of_posteriors_within_the_noise():
    below = {f"p{i}": 0.45 for i in range(200)}
    found = struggling(GATE, "renal", below, seed=0)
    assert found.share.value == pytest.approx(0.45, abs=0.05)
    assert probability_below(np.array([np.log(1.5)]), np.array([0.3]))[0] == pytest.approx(0.5)


def test_hours_to_mastery_count_those_not_there_yet():
    hours = {f"p{i}": float(i + 1) for i in range(40)}
    done = {name: i % 2 == 0 for i, name in enumerate(hours)}
    curve = time_to_mastery(GATE, hours, done)
    assert curve is not None
    assert curve.median is not None
    assert curve.median > 20
    assert publish_hours(curve)[0] == round(curve.median / 5) * 5
    assert publish_hours(None) == (None, None)


def test_topic_difficulty_is_drawn_to_the_others_where_learners_are_few():
    rng = np.random.default_rng(0)
    prior = fit_prior([0.6, 0.7, 0.65, 0.75, 0.55], [50] * 5)
    few, many = difficulty([0.2] * 3, prior, seed=0), difficulty(list(rng.uniform(0.1, 0.3, 300)), prior, seed=0)
    assert few is not None
    assert many is not None
    assert few.value < many.value < 0.82
    assert many.low < many.value < many.high
    assert difficulty([], prior, seed=0) is None


def test_what_top_performers_do_is_found_and_noise_is_not():
    rng = np.random.default_rng(1)
    start = rng.uniform(0.3, 0.7, 400)
    spacing = rng.uniform(0, 1, 400)
    gain = 0.3 * spacing + rng.normal(0, 0.1, 400)
    found = top_strategies(gain, start, {"spacing": spacing, "noise": rng.uniform(0, 1, 400)}, seed=0)
    assert [row.habit for row in found] == ["spacing"]
    assert found[0].low > 0
    assert top_strategies(gain[:60], start[:60], {"spacing": spacing[:60]}, seed=0) == []


def test_misalignment():
    assert misalignment({}, {"a": 1.0}) is None
    assert misalignment({"a": 5}, {"b": 1.0}) == 1.0
    assert misalignment({"a": 5, "b": 5}, {"a": 0.5, "b": 0.5}) == 0
