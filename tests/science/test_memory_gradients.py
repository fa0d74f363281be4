"""The exact gradients of both fits, against differences, and that fitting finds what made the data."""

import numpy as np
import pytest

from osler.science import fsrs, fsrs_fit, sbd, sbd_fit
from osler.science.waves import waves_of


@pytest.fixture(scope="module")
def reviews():
    rng = np.random.default_rng(0)
    n = 1500
    item = rng.integers(0, 300, n)
    days = np.where(rng.random(n) < 0.2, 0.0, np.ceil(rng.exponential(8, n)))
    rating = rng.choice([1, 2, 3, 4], n, p=[0.18, 0.1, 0.6, 0.12])
    is_first = np.zeros(n, dtype=bool)
    is_first[np.unique(item, return_index=True)[1]] = True
    return item, days, rating, ~is_first & (days >= 1), rng.random(n) * 0.3


def differences(objective, x):
    out = np.zeros_like(x)
    for i in range(x.size):
        h = 1e-6 * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i], down[i] = x[i] + h, x[i] - h
        out[i] = (objective(up)[0] - objective(down)[0]) / (2 * h)
    return out


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1])
def test_the_sbd_gradient_equals_differences(reviews, scale):
    item, days, rating, counted, part = reviews
    objective = sbd_fit.Objective(waves_of(item), days + part, rating, counted.astype(float))
    x = np.array(sbd.POPULATION) * scale
    np.testing.assert_allclose(objective(x)[1], differences(objective, x), atol=2e-8)


@pytest.mark.parametrize("shift", [0.01, 0.03, 0.2])
def test_the_fsrs_gradient_equals_differences(reviews, shift):
    item, days, rating, counted, _ = reviews
    objective = fsrs_fit.Objective(waves_of(item), days, rating, counted.astype(float))
    low, high, x = np.array(fsrs.LOWER), np.array(fsrs.UPPER), np.array(fsrs.DEFAULTS)
    x = x + shift * (0.5 * (low + np.minimum(high, 3 * x + 0.1)) - x)
    np.testing.assert_allclose(objective(x)[1], differences(objective, x), atol=2e-8)


def simulated(recall_of, step, first, seed=0, cards=600, reviews=7):
    rng = np.random.default_rng(seed)
    rows = []
    for card in range(cards):
        state, at = None, rng.integers(0, 100)
        for _ in range(reviews):
            gap = int(np.ceil(rng.exponential(6)))
            if state is None:
                rating, gap = int(rng.choice([1, 3])), 0
                state = first(rating)
            else:
                rating = 3 if rng.random() < recall_of(state, gap) else 1
                state = step(state, gap, rating)
            at += gap
            rows.append((at, card, gap, rating))
    rows.sort()
    table = np.array(rows)
    item, days, rating = table[:, 1], table[:, 2].astype(float), table[:, 3]
    is_first = np.zeros(item.size, dtype=bool)
    is_first[np.unique(item, return_index=True)[1]] = True
    return item, days, rating, ~is_first


def test_fsrs_fit_wins_over_the_defaults_on_a_learner_who_forgets_faster():
    truth = fsrs.Weights((0.1, 0.6, 0.9, 3.0, *fsrs.DEFAULTS[4:20], 0.35))
    item, days, rating, counted = simulated(
        lambda m, t: fsrs.retrievability(m.stability, t, weights=truth),
        lambda m, t, g: fsrs.step(m, t, g, weights=truth),
        lambda g: fsrs.first(g, weights=truth),
    )
    fitted = fsrs_fit.fit(item, days, rating, counted)
    objective = fsrs_fit.Objective(waves_of(item), days, rating, counted.astype(float))
    loss = {name: objective(np.array(w.values))[0] for name, w in (("default", fsrs.FSRS6), ("fitted", fitted))}
    assert loss["fitted"] < loss["default"] - 0.02
    assert fitted.values[2] < 1.6


def test_sbd_fit_wins_over_the_population_on_a_learner_who_forgets_faster():
    truth = sbd.POPULATION._replace(al=-1.0)
    item, days, rating, counted = simulated(
        lambda m, t: sbd.recall(m, t, parameters=truth),
        lambda m, t, g: sbd.step(m, t, g, parameters=truth),
        lambda g: sbd.first(g, parameters=truth),
    )
    fitted = sbd_fit.fit(item, days, rating, counted)
    objective = sbd_fit.Objective(waves_of(item), days, rating, counted.astype(float))
    assert objective(np.array(fitted))[0] < objective(np.array(sbd.POPULATION))[0] - 0.02


def test_a_fit_without_a_scored_review_is_the_start():
    item, days, rating = np.arange(5), np.zeros(5), np.full(5, 3)
    nothing = np.zeros(5, dtype=bool)
    assert fsrs_fit.fit(item, days, rating, nothing) == fsrs.FSRS6
    assert sbd_fit.fit(item, days, rating, nothing) == sbd.POPULATION


def test_recency_weights_run_from_the_floor_to_one():
    weights = sbd_fit.recency_weights(100)
    assert weights[0] == pytest.approx(0.0667)
    assert weights[-1] == pytest.approx(1.0)
    assert (np.diff(weights) >= 0).all()
