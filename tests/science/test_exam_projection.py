"""Projection and what-if: deterministic by seed, common draws, never past what practice can do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osler.science.exam_projection import Practice, ready_in, what_if
from osler.science.exam_score import ExamState

STATE = ExamState(np.array([0.6, 0.4]), np.array([0.2, -0.3]), np.array([0.2, 0.3]), np.array(0.1), 100)
PRACTICE = Practice(30, 60, np.array([50.0, 20.0]), np.array([0.3, 0.3]), np.array([0.05, 0.05]), np.array([0.5, 0.5]))


def test_the_same_seed_gives_the_same_days_and_more_minutes_arrive_sooner():
    one = ready_in(STATE, PRACTICE, 0.55, seed=1)
    assert one == ready_in(STATE, PRACTICE, 0.55, seed=1)
    more = ready_in(STATE, replace(PRACTICE, minutes_per_day=120), 0.55, seed=1)
    assert more.median_days < one.median_days
    assert one.low_days <= one.median_days <= one.high_days


def test_without_learning_some_never_arrive():
    still = ready_in(STATE, replace(PRACTICE, gain=np.zeros(2), gain_sd=np.zeros(2)), 0.75, seed=1)
    assert still.never_share > 0.9
    assert still.median_days == np.inf
    assert still.by_lower_bound is None


def test_what_if_uses_the_same_draws_for_both_arms():
    same = what_if(STATE, PRACTICE, PRACTICE, days_now=30, days_then=30, cut=0.55, seed=2)
    assert same.score_gain == (0.0, 0.0, 0.0)
    more = what_if(STATE, PRACTICE, replace(PRACTICE, minutes_per_day=60), days_now=30, days_then=30, cut=None, seed=2)
    assert more.pass_gain is None
    assert 0 < more.score_gain[1] <= more.score_gain[0] <= more.score_gain[2]
    spread = more.score_then[2] - more.score_then[1]
    assert more.score_gain[2] - more.score_gain[1] < 0.3 * spread


def test_a_ready_learner_is_ready_today():
    strong = replace(STATE, eta=np.array([3.0, 3.0]))
    assert ready_in(strong, PRACTICE, 0.5, seed=0).median_days == pytest.approx(0)
