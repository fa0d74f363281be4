"""Does the bench of one sitting lie between a raw share and what the truth allows, with intervals that hold?"""

from __future__ import annotations

import numpy as np
from bench.exam_sitting import PRACTICE, Truth, best, figures, sat


def test_the_model_lies_between_the_raw_share_and_the_truth() -> None:
    found = figures(Truth(), seed=101)
    assert set(found) == set(PRACTICE)
    for practice, row in found.items():
        assert row["r"] < row["r_best"], practice
        assert row["mae_best"] - 0.1 < row["mae"] < row["mae_raw"] + 0.1, practice
        assert 0.85 < row["conformal"] < 0.95, practice
        assert row["brier"] < row["brier_base"], practice
    assert found[85]["r"] > found[40]["r"] > found[20]["r"]


def test_the_truth_is_the_same_by_seed_and_its_own_forecast_is_unbiased() -> None:
    sitting = sat(Truth(), 101)
    assert np.array_equal(sitting.right, sat(Truth(), 101).right)
    tested = sitting.score[-len(best(sitting, Truth(), 40)) :]
    assert abs(float((best(sitting, Truth(), 40) - tested).mean())) < 0.01
