"""The item-response task: the published figures, and "can't tell" said of what cannot be told."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import exam, item_response
from osler.evaluate.protocol import silent


def run(path):
    return item_response.TASK.run(path, as_of=None, baselines=None, progress=silent, seed=0).to_json()


def write(path, *, persons=400, items=20, tells=None, seed=0):
    rng = np.random.default_rng(seed)
    able = rng.normal(0, 1, persons)
    right = (rng.random((persons, items)) < 1 / (1 + np.exp(-(able[:, None] + rng.normal(0, 1, items))))).astype(int)
    table = pd.DataFrame(right, columns=[f"Item{i}" for i in range(items)])
    table["gender"] = rng.integers(0, 2, persons)
    if tells is not None:
        chance = 1 / (1 + np.exp(-(2.5 * able if tells else 0.15 * able)))
        table["StudySuccess"] = (rng.random(persons) < chance).astype(float)
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("name", "held", "auc", "log_loss", "mean_auc", "mean_loss"),
    [("medical_admission_scored", 491, 0.806, 0.533, 0.716, 0.615), ("hci_physiology", 136, 0.718, 0.581, 0.640, 0.620),
     ("biology_admission", 251, 0.830, 0.509, 0.775, 0.565)],
)  # fmt: skip
def test_the_published_figures(shared_data, name, held, auc, log_loss, mean_auc, mean_loss):
    found = run(shared_data / f"{name}.csv.zst")
    osler, mean = found["models"]["osler"], found["models"]["item_mean"]
    assert found["learners"] == held
    assert (osler["auc"], osler["log_loss"]) == pytest.approx((auc, log_loss), abs=1e-3)
    assert (mean["auc"], mean["log_loss"]) == pytest.approx((mean_auc, mean_loss), abs=1e-3)


def test_the_score_of_a_persons_other_half_is_met_within_seven_points(shared_data):
    """science.md 9.3: mean absolute error 6.7 points, r .90."""
    score = run(shared_data / "medical_admission_scored.csv.zst")["score"]["osler"]
    assert (score["persons"], score["items"]) == (491, 50)
    assert score["mae_points"] == pytest.approx(6.7, abs=0.05)
    assert score["r"] == pytest.approx(0.90, abs=0.005)


def test_score_intervals_hold_nine_in_ten_and_are_scored(tmp_path):
    score = run(write(tmp_path / "x.csv", persons=3000))["score"]["osler"]
    assert score["interval_coverage"] == pytest.approx(0.9, abs=0.05)
    assert 0 < score["interval_width_points"] < score["interval_score_points"]


def test_study_success_of_the_admitted_cannot_be_told(shared_data):
    found = run(shared_data / "medical_admission_scored.csv.zst")
    verdict = found["outcome"]["StudySuccess"]
    assert found["status"] == verdict["status"] == "cannot_tell"
    assert "can't tell" in verdict["says"]
    assert (verdict["n"], verdict["auc"]) == (285, pytest.approx(0.589, abs=1e-3))


def test_what_can_be_told_is_told_and_what_cannot_is_refused(tmp_path):
    assert run(write(tmp_path / "good.csv", tells=True))["status"] == "ok"
    assert run(write(tmp_path / "poor.csv", tells=False))["status"] == "cannot_tell"
    assert run(write(tmp_path / "few.csv", tells=True, persons=90))["status"] == "insufficient_data"
    assert "outcome" not in run(write(tmp_path / "none.csv"))


def test_demographics_are_no_items(tmp_path):
    assert "gender" not in item_response.read(write(tmp_path / "x.csv")).items


def test_a_single_file_given_to_the_exam_task_comes_here(tmp_path):
    path = write(tmp_path / "x.csv")
    report = exam.TASK.run(path, as_of=None, baselines=None, progress=silent, seed=0)
    assert report.task == "exam"  # as it was asked for
    assert set(report.models) == {"osler", "item_mean"}


def test_a_table_without_scored_items_is_refused(tmp_path):
    path = tmp_path / "choices.csv"
    path.write_text("Q1,Q2\nA,B\nC,D\n")
    with pytest.raises(UnreadableSource, match="columns scored 0 or 1"):
        item_response.read(path)


def test_what_such_a_table_cannot_do_is_refused_not_passed_over(tmp_path):
    path = write(tmp_path / "x.csv", persons=60)
    with pytest.raises(InvalidInput, match="no dates"):
        item_response.TASK.run(path, as_of=date(2026, 1, 1), baselines=None, progress=silent, seed=0)
    with pytest.raises(InvalidInput, match="item_mean"):
        item_response.TASK.run(path, as_of=None, baselines=("forest",), progress=silent, seed=0)


def without_numbers(table: pd.DataFrame) -> pd.DataFrame:
    letters = str.maketrans("0123456789", "abcdefghij")
    return table.rename(columns=lambda name: str(name).translate(letters))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.assign(StudySuccess=np.where(table["StudySuccess"] == 1, "yes", "no")), "none of 0, 1"),
        (lambda table: table.assign(StudySuccess=3.0 * table["StudySuccess"]), "none of 0, 1"),
        (lambda table: table.head(1), "has 1 persons; the task needs 20"),
        (without_numbers, "0 columns scored 0 or 1 with a number in their name"),
    ],
)  # fmt: skip
def test_what_would_mislead_is_refused_in_words(tmp_path, change, said):
    path = write(tmp_path / "x.csv", tells=True, persons=60)
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(UnreadableSource, match=said):
        item_response.read(path)


def test_missing_answers_count_as_wrong_and_the_report_says_so(tmp_path):
    path = write(tmp_path / "x.csv", persons=60)
    table = pd.read_csv(path)
    table.loc[table.index[:7], "Item3"] = np.nan
    table.to_csv(path, index=False)
    assert "7 missing answers count as wrong." in run(path)["notes"]
    assert item_response.read(path).right[:7, 3].tolist() == [0.0] * 7


def test_a_test_that_all_pass_has_a_page_too(tmp_path):
    path = write(tmp_path / "x.csv", persons=60)
    table = pd.read_csv(path)
    table[[name for name in table if name != "gender"]] = 1
    table.to_csv(path, index=False)
    report = item_response.TASK.run(path, as_of=None, baselines=None, progress=silent, seed=0)
    assert report.to_html()
    assert report.models["osler"].auc is None
