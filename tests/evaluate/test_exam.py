"""The exam task on a small made course: forward in time, no leak, refusals in words, the figures' format."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.support.courses import write_course

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import exam, exam_leaks, exam_models
from osler.evaluate.bootstrap import auc_interval
from osler.evaluate.exam_figures import perfect_ece
from osler.evaluate.exam_models import choose, out_of_run
from osler.evaluate.exam_oulad import NUMBERS, snapshot, started_by
from osler.evaluate.exam_tables import read_tables
from osler.evaluate.metrics import auc, score
from osler.evaluate.protocol import silent


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return write_course(tmp_path_factory.mktemp("course"))


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("categories", "numbers", "learner"))


def test_what_happens_after_the_day_moves_no_feature(course):
    tables = read_tables(course)
    before = snapshot(tables, 60)
    late = tables["student_assessment"].iloc[:50].assign(date_submitted=61, score=0.0)
    later = {**tables, "student_assessment": pd.concat([tables["student_assessment"], late])}
    assert same(before, snapshot(later, 60))
    assert not same(snapshot(tables, 61), snapshot(later, 61))  # the test can fail: a planted leak is seen


def test_when_a_learner_left_is_no_feature(course):
    tables = read_tables(course)
    before = snapshot(tables, 60)
    registration = tables["student_registration"]
    moved = registration.assign(
        date_unregistration=np.where(
            registration["date_unregistration"] > 60, 239.0, registration["date_unregistration"]
        )
    )
    gone = registration.assign(
        date_unregistration=registration["date_unregistration"].where(registration["date_unregistration"] <= 60)
    )
    assert same(before, snapshot({**tables, "student_registration": moved}, 60))
    assert same(before, snapshot({**tables, "student_registration": gone}, 60))
    assert "date_unregistration" not in NUMBERS


def test_the_leak_checks_pass_and_each_finds_its_planted_leak(course):
    tables = read_tables(course)
    assert all(row["passed"] for row in exam_leaks.checks(tables, 60, exam.parted).values())

    def moved(training, test, by):
        return replace(training, numbers=training.numbers + by), test

    def of_tomorrow(tables, day):
        return exam.parted(tables, day + 60)

    def with_leavers(tables, day):
        gone = tables["student_registration"]["date_unregistration"].notna().sum()
        return moved(*exam.parted(tables, day), by=float(gone))

    def with_outcomes(tables, day):
        training, test = exam.parted(tables, day)
        return moved(training, test, by=test.at_risk.mean())

    def with_the_tested(tables, day):
        training, test = exam.parted(tables, day)
        return training, replace(test, learner=np.resize(training.learner, test.learner.size))

    def expanded(tables, day):
        training, test = exam.parted(tables, day)
        return training.rows(np.repeat(np.arange(training.learner.size), 2)), test

    planted = (of_tomorrow, with_leavers, with_outcomes, with_the_tested, expanded)
    for leak, name in zip(planted, exam_leaks.checks(tables, 60, exam.parted), strict=True):
        assert not exam_leaks.checks(tables, 60, leak)[name]["passed"], name


def test_banked_results_do_not_count(course):
    tables = read_tables(course)
    banked = {**tables, "student_assessment": tables["student_assessment"].assign(is_banked=True)}
    assert snapshot(banked, 100).numbers[:, NUMBERS.index("submitted")].sum() == 0


def test_outcomes_of_the_test_year_move_no_forecast(course, monkeypatch):
    small_forests(monkeypatch)
    tables = read_tables(course)
    student = tables["student"]
    late = student["code_presentation"] == "2014B"
    flipped = student.assign(
        final_result=np.where(late & (student["final_result"] == "Pass"), "Fail", student["final_result"])
    )
    before = exam.run_day(tables, 60, silent, 0)
    after = exam.run_day({**tables, "student": flipped}, 60, silent, 0)
    assert before is not None
    assert after is not None
    assert before.choice == after.choice
    for name in before.forecasts:
        assert np.array_equal(before.forecasts[name], after.forecasts[name])


def test_no_learner_of_the_training_years_is_tested(course):
    tables = read_tables(course)
    twice = (
        tables["student_registration"].query("code_presentation == '2013J'").head(5).assign(code_presentation="2014B")
    )
    registration = pd.concat([tables["student_registration"], twice])
    named = tables["student"].merge(twice[["id_student"]], on="id_student").assign(code_presentation="2014B")
    day = {**tables, "student": pd.concat([tables["student"], named]), "student_registration": registration}
    codes = {str(c): set(own["id_student"].astype(str)) for c, own in registration.groupby("code_presentation")}
    training, test = exam.split(snapshot(day, 30), codes)
    assert not set(training.learner) & set(test.learner)
    assert set(test.presentation) == {"2014B"}


def small_forests(monkeypatch):
    from sklearn.ensemble import RandomForestClassifier

    monkeypatch.setattr(
        exam_models, "RandomForestClassifier",
        lambda n, **options: RandomForestClassifier(min(n, 10), **options),
    )  # fmt: skip


def test_the_report_has_the_promised_figures(course, monkeypatch):
    small_forests(monkeypatch)
    monkeypatch.setattr(exam, "DAYS", (0, 60))
    report = exam.TASK.run(course, as_of=None, baselines=None, progress=silent, seed=0)
    found = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert set(found["models"]) == {"osler", "constant", "logistic", "random_forest"}
    for model in found["models"].values():
        assert {"log_loss", "auc", "brier", "ece", "ci", "by_day"} <= set(model)
        assert set(model["by_day"]) == {"0", "60"}
    assert found["models"]["osler"]["by_day"]["60"]["auc"] > 0.7
    target = found["targets"]["60"]
    assert target["base_rate_moved"] == pytest.approx(target["base_rate_test"] - target["base_rate_train"])
    assert found["choices"]["60"]["rule_on_test"]["logistic"]["passes"] in {True, False}
    assert report.to_html()
    assert list(report.model_cards()) == ["exam.md"]


def test_the_base_rate_is_served_where_nothing_can_be_told(tmp_path, monkeypatch):
    small_forests(monkeypatch)
    rows = snapshot(read_tables(write_course(tmp_path, tells=False, learners=120)), 60)
    training = rows.rows(np.char.startswith(rows.presentation, "2013"))
    rng = np.random.default_rng(0)
    noise = replace(training, at_risk=rng.integers(0, 2, training.at_risk.size).astype(float))
    choice = choose(noise, out_of_run(noise, 0, lambda: None), 0)
    assert choice.name == "constant"
    assert set(choice.refused) == set(exam_models.CANDIDATES)


def test_each_day_is_told_in_words_and_a_refusal_too(course, monkeypatch):
    small_forests(monkeypatch)
    monkeypatch.setattr(exam, "DAYS", (0, 60))
    report = exam.TASK.run(course, as_of=None, baselines=None, progress=silent, seed=0)
    assert report.status == "ok"
    start, later = report.answer
    assert start.startswith("Day 0: we can't tell.")
    assert "is served, with an AUC of 0." in later
    assert all("the share at risk moved by " in sentence for sentence in report.answer)
    assert report.models["constant"].auc == 0.5


def test_nothing_is_told_where_all_came_out_alike(tmp_path, monkeypatch):
    small_forests(monkeypatch)
    monkeypatch.setattr(exam, "DAYS", (30,))
    course = write_course(tmp_path, learners=20)
    student = pd.read_csv(course / "oulad_student.csv").assign(final_result="Pass")
    student.to_csv(course / "oulad_student.csv", index=False)
    report = exam.TASK.run(course, as_of=None, baselines=None, progress=silent, seed=0)
    assert report.status == "cannot_tell"
    assert report.answer[0].startswith("Day 30: we can't tell.")
    assert report.models["osler"].auc is None
    assert json.dumps(report.to_json(), allow_nan=False)


def test_a_day_without_anybody_is_left_out_and_data_without_anybody_refused(tmp_path, monkeypatch):
    small_forests(monkeypatch)
    course = write_course(tmp_path, learners=20)
    registration = pd.read_csv(course / "oulad_student_registration.csv")
    registration.assign(date_unregistration=100.0).to_csv(course / "oulad_student_registration.csv", index=False)
    monkeypatch.setattr(exam, "DAYS", (60, 150))
    report = exam.TASK.run(course, as_of=None, baselines=None, progress=silent, seed=0)
    assert list(report.sections["targets"]) == ["60"]
    monkeypatch.setattr(exam, "DAYS", (150,))
    with pytest.raises(InvalidInput, match="nobody"):
        exam.TASK.run(course, as_of=None, baselines=None, progress=silent, seed=0)


def test_presentations_after_as_of_are_not_read(course):
    from datetime import date

    kept = started_by(read_tables(course), date(2013, 12, 31))
    assert set(kept["student"]["code_presentation"]) == {"2013B", "2013J"}


def test_a_folder_without_the_data_is_refused_by_name(tmp_path):
    with pytest.raises(UnreadableSource, match=r"oulad_student\.csv"):
        exam.TASK.run(tmp_path, as_of=None, baselines=None, progress=silent, seed=0)
    with pytest.raises(InvalidInput, match="Unknown baseline"):
        exam.TASK.run(tmp_path, as_of=None, baselines=["xgboost"], progress=silent, seed=0)


def test_the_interval_of_an_auc_holds_it_and_perfect_forecasts_have_some_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 2000)
    y = (rng.random(2000) < p).astype(float)
    low, high = auc_interval(np.arange(2000).astype(str), y, p) or (0, 0)
    assert low < (auc(y, p) or 0) < high
    assert 0.01 < perfect_ece(p, 0) < 0.04
    assert auc_interval(np.arange(5).astype(str), np.ones(5), p[:5]) is None


@pytest.mark.parametrize(
    ("day", "train", "test", "rate"),
    [(0, 12238, 5984, 0.488), (30, 11759, 5735, 0.464), (60, 11353, 5493, 0.441), (100, 10916, 5282, 0.418),
     (150, 10435, 5023, 0.388)],
)  # fmt: skip
def test_the_open_university_rows_are_those_of_the_published_table(shared_data, day, train, test, rate):
    tables = read_tables(shared_data)
    registered = tables["student_registration"]
    codes = {str(c): set(own["id_student"].astype(str)) for c, own in registered.groupby("code_presentation")}
    training, tested = exam.split(snapshot(tables, day), codes)
    assert (training.at_risk.size, tested.at_risk.size) == (train, test)
    assert float(tested.at_risk.mean()) == pytest.approx(rate, abs=5e-4)


PUBLISHED = {
    0: ((0.587, 0.6952, 0.2498), (0.612, 0.6736, 0.2404)),
    30: ((0.746, 0.5861, 0.2010), (0.749, 0.5807, 0.1994)),
    60: ((0.802, 0.5296, 0.1756), (0.810, 0.5183, 0.1732)),
    100: ((0.856, 0.4610, 0.1477), (0.853, 0.4572, 0.1489)),
    150: ((0.898, 0.3927, 0.1229), (0.897, 0.3982, 0.1246)),
}


@pytest.mark.slow
def test_the_baselines_are_those_of_the_published_table(shared_data):
    tables = read_tables(shared_data)
    registered = tables["student_registration"]
    codes = {str(c): set(own["id_student"].astype(str)) for c, own in registered.groupby("code_presentation")}
    for day, expected in PUBLISHED.items():
        training, tested = exam.split(snapshot(tables, day), codes)
        for name, (area, loss, brier) in zip(("logistic", "random_forest"), expected, strict=True):
            found = score(tested.at_risk, exam_models.FITS[name](training, 0)(tested))
            assert found.auc == pytest.approx(area, abs=5.5e-4), (day, name)
            assert (found.log_loss, found.brier) == pytest.approx((loss, brier), abs=1.5e-4), (day, name)


def test_lateness_is_cut_after_its_mean_and_early_work_counts_in_full(course):
    tables = read_tables(course)
    before = snapshot(tables, 25)
    learner, asked = tables["student"]["id_student"].iloc[0], tables["assessment"]["id_assessment"].iloc[:4]
    given = tables["student_assessment"].query("id_student != @learner")
    own = pd.DataFrame({"id_assessment": asked, "id_student": learner, "date_submitted": 25, "is_banked": False,
                        "score": 80.0})  # fmt: skip
    after = snapshot({**tables, "student_assessment": pd.concat([given, own])}, 25)
    row = dict(zip(NUMBERS, after.numbers[after.learner == str(learner)][0].tolist(), strict=True))
    assert row["mean_lateness"] == np.mean([5, -30, -65, -100])  # due on days 20, 55, 90 and 125
    assert (row["submitted_of_due"], row["points_of_due"]) == (4.0, 4 * 80.0)
    others = before.learner != str(learner)
    assert np.array_equal(before.numbers[others], after.numbers[others])


def test_the_baselines_leave_coursework_out_before_anything_is_due_and_have_a_column_for_an_unknown_module(course):
    for day, numbers in ((10, exam_models.COURSEWORK), (60, len(NUMBERS))):
        rows = snapshot(read_tables(course), day)
        training = rows.rows(np.char.startswith(rows.presentation, "2013"))
        made = exam_models.as_published(training)
        assert rows.levels[0] == ("AAA", "BBB", "CCC")  # CCC is of the last year alone
        assert made.raw(training).shape[1] == numbers + sum(len(values) - 1 for values in rows.levels)
        assert made.raw(training)[:, numbers + 1].sum() == 0
