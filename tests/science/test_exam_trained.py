"""A trained exam model is served from plain numbers: golden values by hand, and no learning library is loaded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.science.exam_trained import Scaling, TrainedExam, design, learn_scaling, predicted_score, probability

PLAIN = Scaling((0.5,) * 8, (0.0,) * 17, (1.0,) * 17)
MODEL = TrainedExam("logistic", PLAIN, (1.0, *([0.0] * 15), 0.5, -0.25))


def test_missing_features_are_the_median_with_an_indicator_beside_it():
    features = np.full((1, 8), np.nan)
    features[0, 0] = 0.9
    row = design(features, np.array([0.5]), PLAIN)[0]
    assert row[:8].tolist() == [0.9, *([0.5] * 7)]
    assert row[8:16].tolist() == [0, *([1] * 7)]
    assert row[16] == pytest.approx(0.0)


def test_the_chance_by_hand():
    features = np.full((1, 8), 0.9)
    p = probability(MODEL, features, np.array([0.8]))
    assert float(p[0]) == pytest.approx(1 / (1 + np.exp(-(0.9 + 0.5 * np.log(4) - 0.25))))
    assert predicted_score(MODEL, features, np.array([0.8])) is None


def test_scaling_is_learned_from_what_is_known():
    features = np.column_stack([np.array([1.0, np.nan, 3.0]), np.full((3, 7), np.nan)])
    found = learn_scaling(features, np.full(3, 0.5))
    assert found.medians == (2.0, *([0.0] * 7))
    assert min(found.spread) > 0


def test_a_row_of_another_shape_is_refused():
    with pytest.raises(InvalidModelInput):
        design(np.zeros((3, 7)), np.zeros(3), PLAIN)


def test_serving_loads_no_learning_library():
    code = (
        "import sys, osler.science.exam_trained, osler.analytics.readiness.model, osler.analytics.patterns.model,"
        " osler.analytics.cohort.model, osler.analytics.plan.model, osler.analytics.efficiency.model;"
        " print(sorted({'sklearn', 'pandas', 'sqlalchemy', 'fastapi'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
