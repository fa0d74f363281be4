"""Calibration and conformal intervals: they mend what is bent and leave what is straight."""

from __future__ import annotations

import numpy as np
import pytest

from osler.science.calibration import (
    fit_calibration,
    isotonic_recalibration,
    logistic_recalibration,
    shift_in_the_large,
    shifted,
)
from osler.science.conformal import conformal_factor, conformal_factors_by_cohort
from osler.science.serving_rule import enough_outcomes, may_serve


def outcomes(n, seed=0, bend=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(shift + bend * x)))).astype(float)
    return 1 / (1 + np.exp(-x)), y


@pytest.mark.parametrize(("n", "kind"), [(29, "uncalibrated"), (30, "logistic"), (999, "logistic"), (1000, "isotonic")])
def test_what_is_fitted_follows_the_number_of_outcomes(n, kind):
    found = fit_calibration(*outcomes(n))
    assert (found.kind, found.n) == (kind, n)


def test_overconfidence_is_pulled_back():
    p, y = outcomes(20_000, bend=0.4, shift=-0.3)
    found = logistic_recalibration(p, y)
    assert found.values[0] == pytest.approx(0.4, abs=0.04)
    assert found.knots[0] == pytest.approx(-0.3, abs=0.05)


def test_logistic_maximises_the_penalised_likelihood():
    from scipy.optimize import minimize

    p, y = outcomes(300, bend=0.7)
    x = np.log(p / (1 - p))

    def loss(beta):
        eta = beta[0] + beta[1] * x
        return np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * (beta[0] ** 2 + (beta[1] - 1) ** 2)

    oracle = minimize(loss, [0.0, 1.0], tol=1e-10).x
    found = logistic_recalibration(p, y)
    assert (found.knots[0], found.values[0]) == pytest.approx(tuple(oracle), abs=1e-4)


def test_sure_and_wrong_forecasts_are_mended_too():
    """There the likelihood is flat: whole Newton steps leapt to and fro, and stopped wherever the count ran out."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1.2, 500)
    y = (rng.random(500) < 1 / (1 + np.exp(-4 * truth))).astype(float)
    p = np.clip(1 / (1 + np.exp(-6 * (truth - 1.0))), 1e-4, 1 - 1e-4)
    found = logistic_recalibration(p, y)
    assert p.mean() < y.mean() - 0.25
    assert found.apply(p).mean() == pytest.approx(y.mean(), abs=0.02)


def test_expected_shares_are_moved_to_where_shares_came_out():
    rng = np.random.default_rng(2)
    expected = rng.uniform(0.05, 0.99, 80)
    came = np.clip(expected + 0.04 + rng.normal(0, 0.05, 80), 0, 1)
    moved = shifted(expected, shift_in_the_large(expected, came))
    assert moved.mean() == pytest.approx(np.clip(came, 1e-4, 1 - 1e-4).mean(), abs=1e-9)
    assert (np.argsort(moved) == np.argsort(expected)).all()
    assert shift_in_the_large(expected, expected) == pytest.approx(0.0, abs=1e-9)
    assert shifted(expected, 0.0) is expected


def test_isotonic_is_monotone_inside_the_unit_interval_and_near_the_truth():
    p, y = outcomes(4000, bend=0.5)
    found = isotonic_recalibration(p, y)
    grid = np.linspace(0, 1, 200)
    mapped = found.apply(grid)
    assert (np.diff(mapped) >= 0).all()
    assert (mapped > 0).all()
    assert (mapped < 1).all()
    truth = 1 / (1 + np.exp(-0.5 * np.log(0.8 / 0.2)))
    assert float(found.apply(0.8)) == pytest.approx(truth, abs=0.05)


def test_one_outcome_only_does_not_break_it():
    p, _ = outcomes(60)
    assert 0 < float(logistic_recalibration(p, np.ones(60)).apply(0.5)) < 1


def test_conformal_takes_the_right_order_statistic():
    assert conformal_factor(np.arange(1, 100)) == 90
    assert conformal_factor(np.arange(1, 10)) == 9
    assert conformal_factor(np.arange(1, 9)) is None
    assert conformal_factor([]) is None


def test_conformal_covers_new_learners():
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(300):
        factor = conformal_factor(np.abs(rng.standard_t(4, 60)))
        hits.append(np.mean(np.abs(rng.standard_t(4, 200)) <= factor))
    assert 0.88 <= np.mean(hits) <= 0.93


def test_a_small_cohort_has_no_factor_of_its_own():
    cohorts = np.array(["a"] * 200 + ["b"] * 199)
    assert set(conformal_factors_by_cohort(np.ones(399), cohorts)) == {"a"}


def test_a_model_of_noise_is_not_served_and_a_good_one_is():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.1, 0.9, 600)
    y = (rng.random(600) < truth).astype(float)
    learner = np.arange(600)
    base = np.full(600, y.mean())
    assert may_serve(y, truth, {"base rate": base}, learner)[0]
    noise = np.clip(base + rng.normal(0, 0.1, 600), 0, 1)
    served, verdicts = may_serve(y, noise, {"base rate": base}, learner)
    assert not served
    assert verdicts["base rate"].difference > 0


def test_too_few_outcomes_or_too_few_of_one_kind_serve_nothing():
    assert not enough_outcomes(np.ones(99))
    assert not enough_outcomes(np.r_[np.ones(500), np.zeros(19)])
    assert enough_outcomes(np.r_[np.ones(80), np.zeros(20)])
