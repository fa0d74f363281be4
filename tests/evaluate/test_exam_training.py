"""The brief's trained models: served only where they win forward in time, equal to the library that fitted them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.evaluate import exam_training
from osler.evaluate.exam_training import Outcomes, fit_forest, fit_logistic, forward, train
from osler.science.exam_trained import decode, encode, predicted_score, probability


def outcomes(n=600, *, helpful=True, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (n, 8))
    strength = 1.3 * features[:, 0] + 1.1 * features[:, 1]
    passed = (rng.random(n) < 1 / (1 + np.exp(-strength))).astype(float)
    closed = 1 / (1 + np.exp(-(0.3 * features[:, 0] if helpful else strength)))
    features = np.where(rng.random((n, 8)) < 0.05, np.nan, features)
    score = np.clip(0.6 + 0.1 * strength + rng.normal(0, 0.05, n), 0, 1)
    learner = np.char.add("u", np.arange(n).astype(str))
    return Outcomes(features, closed, passed, score, learner, rng.integers(0, 12, n).astype(np.int64) * 30)


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch):
    monkeypatch.setattr(exam_training, "TREES", 25)


def test_a_model_that_knows_more_than_the_closed_form_is_served():
    found = train(outcomes(), seed=0)
    assert found.served is not None
    assert found.source in {"logistic", "random_forest"}
    assert found.brier[found.source] < min(found.brier["closed_form"], found.brier["base_rate"])
    assert found.brier[found.source] < found.brier["recalibrated"]
    assert all(verdict.ahead for verdict in found.verdicts[found.source].values())


def test_a_model_that_only_recalibrates_is_not_served():
    rows = outcomes(helpful=False)
    flat = 1 / (1 + np.exp(-0.1 * np.log(rows.closed_form / (1 - rows.closed_form))))
    found = train(replace(rows, closed_form=flat), seed=0)
    assert all(verdict.ahead for verdict in found.verdicts["logistic"].values())
    assert found.served is None, "the closed form recalibrated is as good"
    assert found.beats_base_rate


def test_forecasts_of_nothing_are_said_to_be_no_better_than_the_base_rate():
    rows = outcomes()
    found = train(replace(rows, closed_form=np.random.default_rng(1).uniform(0.2, 0.8, 600)), seed=0)
    assert found.beats_base_rate is False


def test_each_result_counts_once_however_many_snapshots_it_has():
    rows = outcomes(120)
    twice = rows.rows(np.repeat(np.arange(120), 3))
    assert exam_training.one_an_outcome(twice).size == 120
    assert exam_training.enough(twice)
    assert not exam_training.enough(rows.rows(np.arange(120) < 99))


def test_the_closed_form_is_served_where_it_is_as_good():
    found = train(outcomes(helpful=False), seed=0)
    assert found.served is None
    assert found.source == "closed_form"
    assert "did not beat" in found.says


def test_nothing_is_trained_on_few_results():
    found = train(outcomes(80), seed=0)
    assert found.served is None
    assert "Too few" in found.says


def test_a_later_outcome_never_moves_an_earlier_forecast():
    rows = outcomes()
    done, before = forward(rows, 0)
    last = rows.exam_on == rows.exam_on.max()
    flipped = replace(rows, passed=np.where(last, 1 - rows.passed, rows.passed))
    again = forward(flipped, 0)[1]
    for name in before:
        assert np.array_equal(before[name][done], again[name][done])


@pytest.mark.parametrize("fit", [fit_logistic, fit_forest])
def test_a_stored_model_forecasts_the_same_and_a_broken_one_is_refused(fit):
    rows = outcomes(300)
    model = fit(rows, 0)
    again = decode(encode(model))
    p = probability(model, rows.features, rows.closed_form)
    assert np.array_equal(p, probability(again, rows.features, rows.closed_form))
    assert ((p >= 0) & (p <= 1)).all()
    score = predicted_score(again, rows.features, rows.closed_form)
    assert score is not None
    assert np.corrcoef(score, rows.score)[0, 1] > 0.6
    with pytest.raises(InvalidModelInput):
        decode(encode(model).replace(b'"kind":"', b'"kind":"other'))
    with pytest.raises(InvalidModelInput):
        decode(b"{}")


def test_the_forest_walk_equals_the_library():
    from sklearn.ensemble import RandomForestClassifier

    from osler.science.exam_trained import as_trees_read, design

    rows = outcomes(300)
    model = fit_forest(rows, 0)
    x = as_trees_read(design(rows.features, rows.closed_form, model.scaling))
    oracle = RandomForestClassifier(25, min_samples_leaf=10, random_state=0)
    oracle.fit(x, rows.passed, sample_weight=exam_training.learner_weights(rows))
    expected = np.asarray(oracle.predict_proba(x))[:, 1]  # one outcome: one array, no list of them
    assert probability(model, rows.features, rows.closed_form) == pytest.approx(expected, abs=1e-12)


def test_a_learner_has_one_weight_however_many_snapshots():
    rows = outcomes(10)
    once_more = np.append(np.arange(len(rows.passed)), 0)
    doubled = Outcomes(
        rows.features[once_more], rows.closed_form[once_more], rows.passed[once_more], rows.score[once_more],
        rows.learner[once_more], rows.exam_on[once_more],
    )  # fmt: skip
    assert exam_training.learner_weights(doubled)[[0, -1]].tolist() == [0.5, 0.5]
