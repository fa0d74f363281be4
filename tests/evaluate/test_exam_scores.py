"""Forecasts of scores held against those that came: exact figures, only earlier results teach, too few are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.test_exam_fitting import results

from osler.evaluate.exam_scores import score_figures, score_section, sentences


def days_of(found, day=30):
    return np.full(found.sd.size, day, dtype=np.int64)


def test_figures_are_those_of_their_definitions():
    came, expected = np.array([0.5, 0.6, 0.9]), np.array([0.6, 0.6, 0.8])
    row = score_figures(came, expected, np.array([0.05, 0.05, 0.2]))
    assert (row["n"], row["mae_points"], row["bias_points"]) == (3, pytest.approx(20 / 3), pytest.approx(0.0))
    assert row["r"] == pytest.approx(np.corrcoef(came, expected)[0, 1])
    assert row["interval_coverage"] == pytest.approx(2 / 3)
    assert row["interval_width_points"] == pytest.approx(100 * (0.1 + 0.1 + 0.4) / 3)
    assert not row["reaches_target"], "an error of more than 5 points"
    assert score_figures(np.full(3, 0.5), expected, None)["r"] is None


def test_a_bias_is_taken_out_once_thirty_results_are_known():
    found = results(400, bias=0.08, snapshots=1)
    section = score_section(found, days_of(found))
    raw, mended = section["closed_form, 30 days before"], section["recalibrated, 30 days before"]
    assert raw["bias_points"] < -6
    assert abs(mended["bias_points"]) < 2
    assert mended["mae_points"] < raw["mae_points"] - 2
    assert 0.82 < mended["interval_coverage"] < 0.97
    assert mended["mae_points"] < section["mean of earlier scores, 30 days before"]["mae_points"]
    assert mended["n"] < raw["n"], "the first exam dates only teach"


def test_results_of_later_exams_move_no_earlier_figure():
    found = results(300, bias=0.05, snapshots=1)
    days = np.where(found.outcomes.exam_on < 4, 30, 7).astype(np.int64)
    later = found.outcomes.exam_on >= 4
    moved = replace(found, outcomes=replace(found.outcomes, score=np.where(later, 0.1, found.outcomes.score)))
    before, after = score_section(found, days), score_section(moved, days)
    name = "recalibrated, 30 days before"
    assert before[name] == after[name]
    assert before[name.replace("30", "7")] != after[name.replace("30", "7")]  # the test can fail


def test_too_few_scores_say_nothing_and_the_sentence_says_what_it_rests_on():
    few = results(9, snapshots=2)
    assert score_section(few, days_of(few)) == {}
    some = results(12, snapshots=1)
    [said] = sentences(score_section(some, days_of(some, 7)))
    assert said.startswith("7 days before the exam (12 scores, with no result to learn from)")
