import numpy as np
import pytest

from osler.evaluate import metrics
from osler.evaluate.bootstrap import auc_interval, ece_interval, holm, mean_interval, paired_by_learner


def losses(learners: int, gap: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    learner = np.repeat(np.arange(learners), 20)
    b = rng.normal(0.5, 0.1, learner.size)
    return learner, b + gap + rng.normal(0, 0.05, learner.size), b


def test_a_real_difference_is_found_and_its_interval_holds_it():
    learner, a, b = losses(50, -0.02)
    difference = paired_by_learner(learner, a, b)
    assert difference.low < -0.02 < difference.high < 0
    assert difference.p_value == pytest.approx(2 / 2001)
    assert difference.status == "ok"
    assert difference.share_better > 0.8


def test_under_thirty_learners_there_is_an_interval_and_no_p_value():
    difference = paired_by_learner(*losses(29, -0.02))
    assert difference.status == "insufficient"
    assert difference.p_value is None
    assert difference.low < difference.mean < difference.high


def test_it_is_deterministic_by_seed_and_antisymmetric():
    learner, a, b = losses(40, 0.01)
    assert paired_by_learner(learner, a, b, seed=7) == paired_by_learner(learner, a, b, seed=7)
    assert paired_by_learner(learner, a, b, seed=7) != paired_by_learner(learner, a, b, seed=8)
    assert paired_by_learner(learner, b, a).mean == pytest.approx(-paired_by_learner(learner, a, b).mean)


def test_resampling_whole_learners_is_wider_than_resampling_rows_when_answers_hang_together():
    rng = np.random.default_rng(0)
    learner = np.repeat(np.arange(40), 50)
    shared = np.repeat(rng.normal(0, 0.1, 40), 50)
    difference = paired_by_learner(learner, shared, np.zeros_like(shared))
    by_row = paired_by_learner(np.arange(learner.size), shared, np.zeros_like(shared))
    assert difference.high - difference.low > 4 * (by_row.high - by_row.low)


def test_weights_choose_between_rows_and_learners():
    learner = np.array(["a"] * 9 + ["b"])
    a = np.array([0.0] * 9 + [1.0])
    assert paired_by_learner(learner, a, np.zeros(10)).mean == pytest.approx(0.1)
    assert paired_by_learner(learner, a, np.zeros(10), weight="learners").mean == pytest.approx(0.5)


def test_coverage_of_the_mean_interval_is_near_its_name():
    rng = np.random.default_rng(1)
    hits = 0
    for i in range(200):
        values = rng.normal(0, 1, 60)
        low, high = mean_interval(np.arange(60), values, draws=400, seed=i)
        hits += low <= 0 <= high
    assert 180 <= hits <= 199


def test_holm_keeps_the_order_given_and_never_exceeds_one():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_interval_of_an_auc_is_that_of_resampled_learners():
    rng = np.random.default_rng(0)
    learner = np.repeat(np.arange(60), 20)
    p = np.round(rng.random(1200), 2)  # with ties
    y = (rng.random(1200) < p).astype(float)
    found = auc_interval(learner, y, p, draws=200, seed=1)
    assert found is not None
    low, high = found
    middle = metrics.auc(y, p)
    assert middle is not None
    assert low < middle < high
    by_hand = []
    for _ in range(200):
        rows = np.concatenate([np.flatnonzero(learner == who) for who in rng.integers(0, 60, 60)])
        by_hand.append(metrics.auc(y[rows], p[rows]))
    assert [low, high] == pytest.approx(np.quantile(by_hand, [0.025, 0.975]), abs=0.01)
    assert auc_interval(learner, np.ones(1200), p) is None


def test_the_interval_of_a_calibration_error_holds_it_and_narrows_with_learners():
    rng = np.random.default_rng(2)
    widths = []
    for learners in (40, 400):
        p = rng.uniform(0.1, 0.9, learners * 20)
        y = (rng.random(p.size) < np.clip(p + 0.1, 0, 1)).astype(float)
        low, high = ece_interval(np.repeat(np.arange(learners), 20), y, p)
        assert 0 <= low < metrics.ece(y, p) < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]
