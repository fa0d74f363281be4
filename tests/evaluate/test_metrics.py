import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from osler.evaluate import metrics


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    p = np.round(rng.uniform(0, 1, 3000), 2)
    return (rng.random(3000) < p).astype(float), p


def test_scores_equal_the_reference_library(rows):
    y, p = rows
    assert metrics.log_loss(y, p) == pytest.approx(reference.log_loss(y, np.clip(p, 1e-4, 1 - 1e-4)))
    assert metrics.brier(y, p) == pytest.approx(reference.brier_score_loss(y, p))
    assert metrics.auc(y, p) == pytest.approx(reference.roc_auc_score(y, p))


def test_a_certain_and_wrong_forecast_costs_a_finite_amount():
    assert metrics.log_loss([1.0], [0.0]) == pytest.approx(-np.log(1e-4))


def test_auc_of_ties_is_one_half_and_of_one_outcome_is_unknown():
    assert metrics.auc([0, 1, 1], [0.3, 0.3, 0.3]) == 0.5
    assert metrics.auc([1, 1], [0.3, 0.6]) is None


@given(st.lists(st.sampled_from([0.1, 0.2, 0.2, 0.9]), min_size=1, max_size=60))
def test_equal_forecasts_are_never_split_over_bins(forecasts):
    bins = metrics.equal_mass_bins(forecasts)
    assert bins.min() >= 0
    assert bins.max() < metrics.ECE_BINS
    for value in set(forecasts):
        assert len(set(bins[np.array(forecasts) == value])) == 1


def test_ece_of_a_constant_is_its_distance_from_the_base_rate():
    assert metrics.ece([1, 1, 0, 0], [0.7] * 4) == pytest.approx(0.2)


def test_calibration_line_is_one_and_zero_when_calibrated_and_two_when_under_confident():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 200_000)
    y = rng.random(x.size) < 1 / (1 + np.exp(-x))
    slope, intercept = metrics.calibration_line(y, 1 / (1 + np.exp(-x)))
    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.03)
    assert metrics.calibration_line(y, 1 / (1 + np.exp(-x / 2)))[0] == pytest.approx(2, abs=0.06)


@pytest.mark.parametrize(("y", "p"), [([1, 1], [0.2, 0.4]), ([0, 1], [0.4, 0.4]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])])
def test_calibration_line_says_when_it_is_not_identified(y, p):
    assert np.isnan(metrics.calibration_line(y, p)).all()


def test_pooled_auc_rewards_telling_learners_apart_and_auc_within_does_not():
    rng = np.random.default_rng(0)
    level = np.repeat(rng.uniform(0.2, 0.9, 50), 60)
    learner = np.repeat(np.arange(50), 60)
    y = rng.random(level.size) < level
    noise = level + rng.normal(0, 1e-6, level.size)
    pooled = metrics.auc(y, noise)
    assert pooled is not None
    assert pooled > 0.65
    assert metrics.auc_within(learner, y, noise) == pytest.approx(0.5, abs=0.02)


def test_auc_within_leaves_out_short_and_one_sided_learners():
    learner = np.array(["a"] * 20 + ["b"] * 5 + ["c"] * 25)
    y = np.array([0, 1] * 10 + [0, 1, 0, 1, 0] + [1] * 25)
    p = np.linspace(0, 1, y.size)
    assert metrics.auc_within(learner, y, p) == pytest.approx(metrics.auc(y[:20], p[:20]))
    assert metrics.auc_within(learner[20:25], y[20:25], p[20:25]) is None


def test_rmse_bins_is_zero_for_the_bin_mean_and_the_gap_for_a_shifted_one():
    days, reviews, lapses = np.array([1, 1, 40, 40]), np.array([1, 1, 9, 9]), np.array([0, 0, 3, 3])
    y = np.array([0, 1, 1, 1])
    assert metrics.rmse_bins(y, [0.5, 0.5, 1, 1], days, reviews, lapses) == 0
    assert metrics.rmse_bins(y, [0.4, 0.4, 0.9, 0.9], days, reviews, lapses) == pytest.approx(0.1)


def test_score_of_nothing_is_refused():
    with pytest.raises(ValueError, match="No rows"):
        metrics.score([], [])


def test_interval_score_by_hand():
    found = metrics.interval_scores([0.5, 0.2, 0.9], [0.4, 0.3, 0.5], [0.6, 0.5, 0.8])
    assert (found.n, found.coverage) == (3, pytest.approx(1 / 3))
    assert found.mean_width == pytest.approx(0.7 / 3)
    # Two fell outside by .1: each costs 2/.1 times that beside its width.
    assert found.score == pytest.approx((0.7 + 2 * 20 * 0.1) / 3)


@given(st.floats(0.3, 3.0))
def test_no_width_scores_better_than_the_one_that_is_claimed(factor):
    rng = np.random.default_rng(0)
    y = rng.normal(size=20_000)
    honest = metrics.interval_scores(y, np.full(y.size, -1.645), np.full(y.size, 1.645))
    other = metrics.interval_scores(y, np.full(y.size, -1.645 * factor), np.full(y.size, 1.645 * factor))
    assert honest.coverage == pytest.approx(0.9, abs=0.01)
    assert other.score > honest.score - 0.02


def test_intervals_the_wrong_way_round_or_none_at_all_are_refused():
    for y, low, high in (([], [], []), ([0.5], [0.6], [0.4])):
        with pytest.raises(ValueError, match="ends in order"):
            metrics.interval_scores(y, low, high)
