"""Which exam is meant where nobody said so."""

from __future__ import annotations

import pytest

from osler.catalog.snapshot import Catalogue, ExamEntry


def exam(exam_id: str, *topics: str) -> ExamEntry:
    shares = dict.fromkeys(topics, 1 / len(topics)) if topics else {}
    return ExamEntry(exam_id, exam_id, 100, None, 0.0, shares, {})


def of(*exams: ExamEntry) -> Catalogue:
    return Catalogue(1, {}, (), {each.exam_id: each for each in exams})


@pytest.mark.parametrize(
    ("named", "default"),
    [("epm.final", "epm.final"), (None, "usmle.step1"), ("no.such", "usmle.step1")],
)
def test_an_exam_of_which_only_results_are_known_is_nobodys_but_who_named_it(named: str | None, default: str) -> None:
    found = of(exam("usmle.step2", "a"), exam("epm.final"), exam("usmle.step1", "a", "b")).exam_or_default(named)
    assert found is not None
    assert found.exam_id == default


def test_without_any_blueprint_the_first_exam_is_meant_and_without_exams_none() -> None:
    found = of(exam("b"), exam("a")).exam_or_default(None)
    assert found is not None
    assert found.exam_id == "a"
    assert of().exam_or_default(None) is None
