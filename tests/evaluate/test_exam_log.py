"""The exam task on Osler's own log: as-of snapshots made again from events, forward by exam date, refusals in words."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from osler.analytics.readiness.features import FEATURES
from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import exam, exam_training
from osler.evaluate.exam_as_of import known_before
from osler.evaluate.exam_log import read_log
from osler.evaluate.exam_snapshots import read_exported
from osler.evaluate.next_answer_sources import log_lines
from osler.evaluate.protocol import silent

TOPICS = ("cardio", "renal", "neuro")
QUESTIONS = {f"q{n}": TOPICS[n % 3] for n in range(90)}
CUT = 0.6
FIRST_EXAM = date(2026, 1, 10)


def line(**fields):
    return json.dumps(fields)


def catalogue():
    yield line(export="osler", form=2, whose="everybody")
    for topic in TOPICS:
        yield line(catalogue="topics", row={"topic_id": topic, "name": topic, "parent_id": None})
        share = {"exam_id": "board", "topic_id": topic, "section": topic, "exam_share": 1 / 3}
        yield line(catalogue="exam_blueprint", row=share)
    yield line(catalogue="exams", row={"exam_id": "board", "name": "Board", "question_count": 100, "cut": CUT})
    for question, topic in QUESTIONS.items():
        row = {"question_id": question, "topic_ids": [topic], "option_count": 4}
        yield line(catalogue="questions", row=row)


def attempt(learner, number, at, question, right, **stored):
    return line(
        id=f"{number:032x}", type="question_submit", user_id=learner, occurred_at=at.isoformat(),
        data={"question_id": question, "time_to_answer_seconds": 30},
        stored={"is_correct": right, "effective_at": at.isoformat(), **stored},
    )  # fmt: skip


def studied(learner, able, exam_on, rng, *, days=40, each=4):
    """A learner's month before an exam: some answers a day, right by their ability."""
    begins = datetime.combine(exam_on, datetime.min.time(), UTC) - timedelta(days=days)
    for n in range(days * each):
        at = begins + timedelta(days=n // each, hours=12, minutes=n % each)
        right = bool(rng.random() < 1 / (1 + np.exp(-0.8 - able)))
        yield attempt(learner, n + 1, at, f"q{int(rng.integers(90))}", right)


def came(learner, exam_on, score, **more):
    row = {"user_id": learner, "exam_id": "board", "exam_on": exam_on.isoformat(), "score": score, "passed": None}
    return line(table="exam_outcomes", row={**row, **more})


def write(path, learners, *, seed=0):
    rng = np.random.default_rng(seed)
    lines = [*catalogue()]
    for n in range(learners):
        able, exam_on = float(rng.normal()), FIRST_EXAM + timedelta(days=7 * (n % 8))
        lines.append(came(f"u{n}", exam_on, int(rng.binomial(100, 1 / (1 + np.exp(-0.6 - able)))) / 100))
        lines += studied(f"u{n}", able, exam_on, rng)
    path.write_text("\n".join(lines))
    return path


def run(path, as_of=None):
    return exam.TASK.run(path, as_of=as_of, baselines=None, progress=silent, seed=0)


def known(lines):
    log = read_log([(f"line {n}", text) for n, text in enumerate(lines)], None)
    (place,) = log.results
    return dict(known_before(log, place))


@pytest.fixture
def month():
    """One learner's lines: the catalogue, the result, a month of answers."""
    return [*catalogue(), came("a", FIRST_EXAM, 0.7), *studied("a", 0.5, FIRST_EXAM, np.random.default_rng(1))]


def test_a_log_is_forecast_forward_with_figures_by_days_before_the_exam(tmp_path, monkeypatch):
    monkeypatch.setattr(exam_training, "TREES", 10)
    path = write(tmp_path / "log.jsonl", 160)
    found = json.loads(json.dumps(run(path).to_json(), allow_nan=False))
    assert set(found["models"]) >= {"osler", "closed_form", "recalibrated", "base_rate", "logistic", "random_forest"}
    closed = found["models"]["closed_form"]
    assert closed["brier"] < found["models"]["base_rate"]["brier"]
    assert set(closed["by_day"]) == {"30", "14", "7"}  # a month of study: nothing was known 60 days before
    assert closed["by_day"]["7"]["auc"] > 0.75
    assert any("0 had been frozen" in note for note in found["notes"])
    folder = tmp_path / "logs"
    folder.mkdir()
    shutil.copy(path, folder / "log.jsonl")
    assert np.array_equal(read_exported(folder, None, silent).days, read_exported(path, None, silent).days)


def test_what_happens_or_arrives_after_the_instant_moves_nothing(month):
    before = known(month)
    assert set(before) == {30, 14, 7}
    night = datetime(2026, 1, 3, 4, tzinfo=UTC)  # seven days before the exam, where the local day begins
    later = attempt("a", 900, night + timedelta(minutes=1), "q1", right=False)
    late = attempt("a", 3, night - timedelta(days=9), "q2", right=False, received_at="2026-01-05T00:00:00+00:00")
    assert known([*month, later, late]) == before
    early = attempt("a", 3, night - timedelta(days=9), "q2", right=False)
    assert known([*month, early])[7] != before[7]  # the test can fail


def test_an_import_of_old_events_counts_from_when_they_happened(month):
    stated = [text.replace('"stored": {', '"stored": {"received_at": "2026-06-01T00:00:00+00:00", ') for text in month]
    assert known(stated) == known(month)


def test_what_the_server_froze_goes_before_what_is_made_again(month):
    features = {
        "avg_mastery_score": 0.5, "topics_mastered": 1.0, "topics_weak": 0.0, "accuracy_30d": None,
        "study_minutes_total": 100.0, "first_attempt_accuracy": 0.6, "questions_attempted_total": 50.0,
        "days_since_start": 20.0,
    }  # fmt: skip
    row = {"user_id": "a", "exam_id": "board", "exam_on": FIRST_EXAM.isoformat(), "milestone": 14, **features,
           "closed_form": 0.9, "coverage": 0.8}  # fmt: skip
    found = known([*month, line(table="exam_snapshots", row=row)])
    assert (found[14].closed_form, found[14].frozen, found[14].features) == (0.9, True, tuple(features.values()))
    assert not found[7].frozen


def test_features_are_counted_as_they_stand_in_the_log(month):
    *_, firsts, total, days = known(month)[7].features
    rows = [json.loads(text) for text in month if '"question_submit"' in text]
    rows = [row for row in rows if row["occurred_at"] < "2026-01-03T04"]
    met: dict[str, bool] = {}
    for row in rows:
        met.setdefault(row["data"]["question_id"], row["stored"]["is_correct"])
    assert (firsts, total) == (pytest.approx(sum(met.values()) / len(met)), len(rows))
    assert days == (date(2026, 1, 3) - (FIRST_EXAM - timedelta(days=40))).days


def test_too_few_results_are_refused_in_words(tmp_path):
    with pytest.raises(InvalidInput, match=r"it takes 100 .* 20 of the rarer outcome.* before 6"):
        run(write(tmp_path / "few.jsonl", 6))
    empty = tmp_path / "none.jsonl"
    empty.write_text("\n".join(catalogue()))
    with pytest.raises(InvalidInput, match="holds no exam result"):
        run(empty)
    with pytest.raises(InvalidInput, match="holds no exam result"):
        run(write(tmp_path / "early.jsonl", 3), as_of=date(2025, 1, 1))


def test_scores_are_held_against_what_was_expected_where_passing_cannot_be_told(tmp_path):
    found = run(write(tmp_path / "some.jsonl", 24)).to_json()
    assert (found["status"], set(found["models"])) == ("insufficient_data", {"osler"})
    assert "it takes 100" in found["answer"][0]
    assert "7 days before the exam (24 scores, with no result to learn from)" in found["answer"][-1]
    closed = found["score"]["closed_form, 7 days before"]
    assert closed["r"] > 0.7
    assert closed["mae_points"] < found["score"]["share of right first answers, 7 days before"]["mae_points"]
    assert not any(name.startswith("recalibrated") for name in found["score"]), "under 30 earlier results"


def test_a_mock_of_questions_that_were_met_before_says_nothing_of_first_answers(month):
    """A question met in practice is remembered, not solved: right in the mock, it is no first attempt there either."""
    before, night = known(month)[7].features, datetime(2026, 1, 2, 12, tzinfo=UTC)
    asked = [json.loads(text) for text in month if '"question_submit"' in text]
    met = sorted({row["data"]["question_id"] for row in asked if row["occurred_at"] < night.isoformat()})
    mock = [attempt("a", 700 + n, night + timedelta(minutes=n), name, right=True) for n, name in enumerate(met)]
    after = known([*month, *mock])[7].features
    place = {name: FEATURES.index(name) for name in ("first_attempt_accuracy", "accuracy_30d")}
    assert [after[i] for i in place.values()] == [before[i] for i in place.values()]
    fresh = [attempt("a", 800 + n, night + timedelta(minutes=n), f"q{n}", right=True) for n in range(90)]
    assert known([*month, *fresh])[7].features[place["first_attempt_accuracy"]] != before[5]  # the test can fail


def test_planned_minutes_raise_what_is_expected_by_the_exam(month):
    planned = {"user_id": "a", "exam_id": "board", "exam_on": FIRST_EXAM.isoformat(), "minutes_per_day": [240] * 7}
    plain, more = known(month), known([*month, line(table="user_exams", row=planned)])
    assert more[30].expected > plain[30].expected + 0.01
    assert more[30].expected - plain[30].expected > more[7].expected - plain[7].expected, "the more, the longer"
    assert more[30].features == plain[30].features


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join([*catalogue(), '{"type": "question_submit", "occurred_at": "soon"}']))
    with pytest.raises(UnreadableSource, match=r"log\.jsonl, line 99"):
        read_log(log_lines(path), None)
