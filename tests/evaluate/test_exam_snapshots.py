"""The exam task on own results: forward by date, the closed form until a trained model has won."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from osler.analytics.readiness.features import FEATURES
from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import exam, exam_training
from osler.evaluate.exam_snapshot_table import read_table
from osler.evaluate.exam_snapshots import can_read
from osler.evaluate.protocol import silent


def write(path, n=900, *, helpful=True, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 8))
    strength = 1.5 * x[:, 0] + 1.0 * x[:, 1]
    table = pd.DataFrame(x, columns=list(FEATURES))
    table["passed"] = (rng.random(n) < 1 / (1 + np.exp(-strength))).astype(int)
    table["closed_form"] = 1 / (1 + np.exp(-(0.2 * x[:, 0] if helpful else strength)))
    table["user_id"] = [f"u{i}" for i in range(n)]
    table["exam_on"] = [(date(2026, 1, 1) + timedelta(days=30 * int(d))).isoformat() for d in rng.integers(0, 12, n)]
    table.loc[rng.random(n) < 0.1, "accuracy_30d"] = np.nan
    table.to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch):
    monkeypatch.setattr(exam_training, "TREES", 10)


def run(path, as_of=None):
    return exam.TASK.run(path, as_of=as_of, baselines=None, progress=silent, seed=0).to_json()


def test_a_trained_model_takes_over_once_it_has_won(tmp_path):
    found = run(write(tmp_path / "exams.csv"))
    models = found["models"]
    assert set(models) == {"osler", "closed_form", "recalibrated", "base_rate", "logistic", "random_forest"}
    assert models["logistic"]["brier"] < models["osler"]["brier"] < models["closed_form"]["brier"]
    assert found["serving_rule"]["now_served"]["source"] in {"logistic", "random_forest"}


def test_the_closed_form_stays_where_it_is_as_good(tmp_path):
    found = run(write(tmp_path / "exams.csv", helpful=False))
    assert found["models"]["osler"]["brier"] == found["models"]["recalibrated"]["brier"]
    assert found["serving_rule"]["now_served"]["source"] == "closed_form"


def test_results_after_as_of_are_not_read(tmp_path):
    path = write(tmp_path / "exams.csv")
    assert read_table(path, date(2026, 6, 1)).rows.exam_on.max() <= date(2026, 6, 1).toordinal()


def test_too_few_results_and_broken_tables_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="Too few exam results"):
        run(write(tmp_path / "few.csv", 90))
    path = write(tmp_path / "x.csv", 20)
    path.write_text(path.read_text().replace("2026-01", "soon-01"))
    with pytest.raises(UnreadableSource):
        read_table(path, None)
    assert not can_read(tmp_path / "absent.csv")


def test_a_drop_out_is_no_fail_and_counts_nowhere(tmp_path):
    table = pd.read_csv(write(tmp_path / "all.csv", n=400))
    table.loc[table.index % 4 == 0, "passed"] = np.nan
    table.to_csv(tmp_path / "with.csv", index=False)
    table.dropna(subset="passed").to_csv(tmp_path / "without.csv", index=False)
    found, plain = run(tmp_path / "with.csv"), run(tmp_path / "without.csv")
    assert found["models"] == plain["models"]
    assert "Left out: 100 rows without a result (a drop-out is no fail)." in found["notes"]


def test_a_row_given_twice_counts_once_and_one_without_a_forecast_not_at_all(tmp_path):
    table = pd.read_csv(write(tmp_path / "all.csv", n=400))
    table.loc[0, "closed_form"] = np.nan
    pd.concat([table, table]).to_csv(tmp_path / "twice.csv", index=False)
    got = read_table(tmp_path / "twice.csv", None)
    assert got.rows.passed.size == 399
    assert got.notes == ("Left out: 2 rows without the closed form.", "Left out: 399 repeated rows.")


@pytest.mark.parametrize(
    ("column", "value"),
    [("passed", 2), ("closed_form", 1.7), ("closed_form", -0.1), ("score", 71), ("expected", 65), ("score_sd", -0.1),
     ("milestone", -5)],
)  # fmt: skip
def test_what_is_no_result_or_no_chance_is_refused_with_its_row(tmp_path, column, value):
    table = pd.read_csv(write(tmp_path / "all.csv", n=400))
    table[column] = table[column].astype(float) if column in table else np.nan
    table.loc[3, column] = value
    table.to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(UnreadableSource, match=f"row 5: {column}"):
        read_table(tmp_path / "bad.csv", None)


def test_two_results_of_one_learner_on_one_day_are_refused(tmp_path):
    table = pd.read_csv(write(tmp_path / "all.csv", n=50))
    other = table.head(1).assign(passed=1 - table["passed"].iloc[0])
    pd.concat([table, other]).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(UnreadableSource, match="u0 has two results of the exam on 2026-"):
        read_table(tmp_path / "x.csv", None)


def test_the_order_of_rows_and_columns_moves_no_figure(tmp_path):
    table = pd.read_csv(write(tmp_path / "all.csv", n=400)).assign(score=0.7, expected=0.6, score_sd=0.1)
    twice = pd.concat([table.assign(milestone=30), table.assign(milestone=7, expected=0.65)])
    twice.to_csv(tmp_path / "all.csv", index=False)
    shuffled = twice.sample(frac=1, random_state=0)
    shuffled[shuffled.columns[::-1]].to_csv(tmp_path / "shuffled.csv", index=False)
    plain, other = (read_table(tmp_path / name, None) for name in ("all.csv", "shuffled.csv"))
    assert plain.days.tolist() == other.days.tolist()
    assert plain.rows.learner.tolist() == other.rows.learner.tolist()
    assert plain.results.expected.tolist() == other.results.expected.tolist()


def test_who_sits_twice_is_forecast_without_their_own_earlier_result():
    """Retakers: nothing fitted for their second exam has seen how the first one went, nor the first the second."""
    rng = np.random.default_rng(4)
    n = 400
    x = rng.normal(0, 1, (n, 8))
    learner = np.char.add("u", (np.arange(n) % 200).astype(str))
    exam_on = np.where(np.arange(n) < 200, 0, 300) + rng.integers(0, 200, n)
    passed = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    rows = exam_training.Outcomes(x, np.full(n, 0.5), passed, np.full(n, np.nan), learner, exam_on.astype(np.int64))
    done, before = exam_training.forward(rows, 0)
    for who in ("u3", "u70"):
        sat = np.flatnonzero(learner == who)
        first, second = sat[np.argsort(exam_on[sat])]
        for flipped, moves_nothing_of in ((first, second), (second, first)):
            other = replace(rows, passed=np.where(np.arange(n) == flipped, 1 - passed, passed))
            after = exam_training.forward(other, 0)[1]
            assert done[second]
            for name in exam_training.FITS:
                assert before[name][moves_nothing_of] == after[name][moves_nothing_of], (who, name)
