"""What results teach by their number: nothing but a count, two parameters, a monotone map; widths that hold."""

from __future__ import annotations

import numpy as np
import pytest

from osler.evaluate import exam_training
from osler.evaluate.exam_fitting import Results, fit_exam, from_columns
from osler.evaluate.exam_training import Outcomes
from osler.science.exam_score import Z_90, normal_cdf

CUT = 0.6


def results(n, *, snapshots=3, seed=0, error=0.06, bias=0.0, cohorts=("a",)):
    """Learners whose scores fall around what was expected, with an error that the closed form does not know of."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.normal(0.62, 0.1, n), snapshots)
    sd = np.full(n * snapshots, 0.05)
    expected = np.clip(truth - bias + np.repeat(rng.normal(0, sd[0], n), snapshots), 0, 1)
    score = np.clip(np.repeat(truth[::snapshots] + rng.normal(0, error, n), snapshots), 0, 1)
    rows = Outcomes(
        features=rng.normal(0, 1, (n * snapshots, 8)),
        closed_form=normal_cdf((expected - CUT) / sd),
        passed=(score >= CUT).astype(float),
        score=score,
        learner=np.repeat(np.char.add("u", np.arange(n).astype(str)), snapshots),
        exam_on=np.repeat(rng.integers(0, 8, n), snapshots).astype(np.int64),
    )
    cohort = np.repeat(np.array([cohorts[i % len(cohorts)] for i in range(n)]), snapshots)
    return Results(rows, expected, sd, cohort)


def fitted(found, cut: float | None = CUT):
    return fit_exam(found, "step", cut=cut, cut_sd=0.0, seed=0, trained_until="2026-11-01")


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch):
    monkeypatch.setattr(exam_training, "TREES", 10)


@pytest.mark.parametrize(("n", "kind"), [(29, "uncalibrated"), (30, "logistic"), (999, "logistic"), (1000, "isotonic")])
def test_the_number_of_results_decides_and_not_that_of_snapshots(n, kind):
    found = fitted(results(n, snapshots=2))
    assert (found.calibration.kind, found.calibration.n, found.outcomes) == (kind, n, n)
    if n < 30:
        assert (found.interval_factor, found.error_variance, found.beats_base_rate) == (Z_90, 0.0, None)


def test_intervals_hold_new_learners_as_often_as_they_say():
    found, new = fitted(results(1500, snapshots=2)), results(3000, snapshots=1, seed=9)
    half = found.interval_factor * np.sqrt(new.sd**2 + found.error_variance)
    held = np.abs(new.outcomes.score - new.expected) <= half
    assert 0.87 <= held.mean() <= 0.93
    assert found.error_variance == pytest.approx(0.06**2, rel=0.35)
    assert (np.abs(new.outcomes.score - new.expected) <= Z_90 * new.sd).mean() < 0.8, "the closed form alone did not"


def test_a_class_has_its_own_width_from_two_hundred_results():
    assert set(fitted(results(600, cohorts=("a", "a", "b"))).cohort_factors) == {"a", "b"}
    assert set(fitted(results(420, cohorts=("a", "a", "b"))).cohort_factors) == {"a"}
    assert fitted(results(420, cohorts=("",))).cohort_factors == {}


def test_a_bias_of_the_closed_form_is_taken_out():
    found = fitted(results(500, bias=0.08))
    raw = results(500, bias=0.08, snapshots=1, seed=5)
    spread = np.sqrt(raw.sd**2 + found.error_variance)
    mapped = found.calibration.apply(normal_cdf((raw.expected - CUT) / spread))
    assert abs(mapped.mean() - raw.outcomes.passed.mean()) < 0.06
    assert abs(raw.outcomes.closed_form.mean() - raw.outcomes.passed.mean()) > 0.15
    assert found.beats_base_rate


def test_without_a_pass_mark_only_widths_are_learned():
    found = fitted(results(200), cut=None)
    assert (found.calibration.kind, found.trained, found.brier) == ("uncalibrated", None, {})
    assert found.interval_factor > 0
    assert found.error_variance > 0


def test_rows_of_the_database_become_results():
    features = tuple("abcdefgh")
    columns = {name: [0.5, None] for name in (*features, "score", "passed", "closed_form")}
    made = from_columns(
        {**columns, "learner": ["x", "y"], "cohort_id": [None, "c"], "exam_on": [739000, 739001],
         "expected": [0.5, 0.6], "score_sd": [0.1, 0.1]}, features,
    )  # fmt: skip
    assert np.isnan(made.outcomes.features[1]).all()
    assert made.cohort.tolist() == ["", "c"]
    assert np.isnan(made.outcomes.passed[1])
