"""Topic-weeks: what a week shows, held against the interval that was served as it began."""

import math
from dataclasses import replace

import numpy as np
import pytest

from osler.evaluate.recall import LearnerRun, forecast_learner
from osler.evaluate.recall_data import LearnerReviews
from osler.evaluate.recall_models import WeekAhead, week_ahead
from osler.evaluate.recall_topics import score, topic_weeks
from osler.science import blend, weekly_error
from osler.science.logits_many import logit_many, sigmoid_many
from osler.science.memory_fit import history_of
from osler.science.ratings import Scale
from osler.science.topic_strength import START_TAU
from osler.science.weekly_error import week_of

FIRST_DAY = 738_001 - 738_000 % 7  # a Monday
A_WEEK, WEEKS = 120, 60


def learner(shift: float, *, topic: str = "renal") -> LearnerRun:
    """Cards that are each reviewed every week with R = .8; all of a week are off by `shift`, up or down at random."""
    rng = np.random.default_rng(2)
    card = np.tile(np.arange(A_WEEK), WEEKS + 1)
    day = FIRST_DAY + 7 * np.repeat(np.arange(WEEKS + 1), A_WEEK) + card % 6
    order = np.argsort(day, kind="stable")
    card, day = card[order], day[order]
    off = shift * rng.choice([-1.0, 1.0], WEEKS + 1)[(day - FIRST_DAY) // 7]
    passed = rng.random(card.size) < sigmoid_many(math.log(4.0) + off)
    history = history_of(card, (day * 86_400.0).astype(np.float64), day, np.where(passed, 3, 1))
    texts = np.full(card.size, topic)
    reviews = LearnerReviews("ann", history, day, history.rating, np.full(card.size, np.nan), texts, Scale.RATING)
    forecast = np.where(history.is_first, np.nan, 0.8)
    ahead = WeekAhead(logit_many(forecast), weekly_error.scan(week_of(day), forecast, history.passed, history.next_day))
    rows = np.flatnonzero(history.next_day)
    return LearnerRun(reviews, {}, rows, rows, ahead)


def test_one_review_without_a_shift_is_its_own_chance():
    """.9 of passing: of the middle 90 % of all draws .85 are passes, .05 failures."""
    covered, loss = score(logit_many(np.array([0.9])), np.array([True]), 0.0)
    assert (covered, loss) == pytest.approx((0.85 / 0.9, -math.log(0.9)))
    covered, loss = score(logit_many(np.array([0.9])), np.array([False]), 0.0)
    assert (covered, loss) == pytest.approx((0.5, -math.log(0.1)))


def test_outcomes_that_are_off_together_are_likelier_under_a_shift():
    ahead, few = np.zeros(20), np.arange(20) < 3
    (never, alone), (covered, together) = (score(ahead, few, tau) for tau in (0.0, 1.5))
    assert (alone, never) == pytest.approx((20 * math.log(2.0), 0.0))
    assert together < alone - 2.0
    assert covered == 1.0


def test_where_weeks_differ_the_learners_tau_covers_and_the_start_value_does_not():
    row = topic_weeks([learner(0.9)])["ann"]
    assert row["topic_weeks"] == WEEKS
    assert row["tau"] > 0.6
    assert row["coverage_at_start"] < 0.6 < 0.7 < row["coverage"]
    assert row["log_loss"] < row["log_loss_at_start"]
    assert row["width"] > row["width_at_start"]


def test_where_weeks_do_not_differ_nothing_is_gained_or_lost():
    row = topic_weeks([learner(0.0)])["ann"]
    assert row["tau"] == START_TAU
    assert (row["coverage"], row["log_loss"]) == (row["coverage_at_start"], row["log_loss_at_start"])


def test_a_hundred_cards_met_in_turn_stand_for_a_topic_where_none_is_stated():
    rows = topic_weeks([learner(0.0, topic="")])
    assert rows["ann"]["topic_weeks"] == 2 * WEEKS  # a hundred cards, and the twenty after them
    assert rows["mean of learners"] == rows["ann"]


def test_a_learner_without_topic_weeks_has_no_row():
    run = learner(0.0)
    assert topic_weeks([replace(run, scored=run.scored[:3])]) == {}


def test_a_week_is_forecast_with_the_bias_that_it_began_with():
    run = learner(0.9)
    history, day = run.reviews.history, run.reviews.local_day
    joint = np.where(history.is_first, np.nan, 1.0)
    served = blend.scan_bias(joint, history.passed, history.next_day)[0]
    ahead = week_ahead(joint, served, history, day)
    bias = 0.0
    for week in np.unique(week_of(day[history.next_day])).tolist():
        rows = np.flatnonzero((week_of(day) == week) & history.next_day)
        assert ahead.logit[rows] == pytest.approx(1.0 + bias, abs=1e-9)
        bias = blend.scan_bias(joint[rows], history.passed[rows], history.next_day[rows], bias=bias)[1]


def test_the_backtest_has_a_tau_for_every_scored_review():
    run = forecast_learner(learner(0.9).reviews)
    assert bool(np.isfinite(run.ahead.tau[run.scored]).all())
    assert bool(np.isfinite(run.ahead.logit[run.scored]).all())
    assert run.ahead.tau[run.scored].min() >= START_TAU
