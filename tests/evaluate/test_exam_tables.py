"""Are tables of courses that would mislead refused by line, or left out and said so?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.support.courses import write_course

from osler.errors import UnreadableSource
from osler.evaluate.exam_tables import read_tables


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return write_course(tmp_path, learners=5)


def changed(course: Path, name: str, change) -> None:
    file = course / f"oulad_{name}.csv"
    change(pd.read_csv(file)).to_csv(file, index=False)


def with_value(column: str, value: object):
    return lambda table: table.astype({column: object}).assign(
        **{column: [value if row == 1 else own for row, own in enumerate(table[column])]}
    )


def test_columns_may_stand_in_any_order_beside_others(course):
    plain = read_tables(course)
    for name in plain:
        changed(course, name, lambda table: table[table.columns[::-1]].assign(other="x"))
    for name, table in read_tables(course).items():
        pd.testing.assert_frame_equal(table, plain[name])


@pytest.mark.parametrize("name", ["student", "student_registration", "student_assessment", "course"])
def test_a_repeated_row_counts_once_and_the_report_says_so(course, name):
    plain, notes = read_tables(course), []
    changed(course, name, lambda table: pd.concat([table, table.head(3)]))
    pd.testing.assert_frame_equal(read_tables(course, notes)[name], plain[name])
    assert notes == [f"Left out: 3 repeated rows of oulad_{name}.csv."]


def test_a_missing_result_is_no_pass(course):
    notes = []
    changed(course, "student", with_value("final_result", None))
    assert len(read_tables(course, notes)["student"]) == 29
    assert notes == ["Left out: 1 registrations without a final_result."]


def test_banked_work_is_known_however_it_is_written(course):
    changed(course, "student_assessment", with_value("is_banked", 1))
    assert read_tables(course)["student_assessment"]["is_banked"].tolist()[:3] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "student",
            with_value("final_result", "pass"),
            "student.csv, line 3: final_result is pass, none of Pass",
        ),
        ("student_assessment", with_value("score", "abc"), "line 3: score is abc, which is no number"),
        (
            "course",
            with_value("code_presentation", "Spring"),
            "line 3: code_presentation is Spring, which does not",
        ),
        (
            "student",
            lambda table: pd.concat([table, table.head(1).assign(final_result="Withdrawn", region="elsewhere")]),
            "line 32: id_student is 1, for which there is another row",
        ),
        ("assessment", lambda table: table.drop(columns="weight"), "has no column weight"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(course, name, change, said):
    changed(course, name, change)
    with pytest.raises(UnreadableSource, match=said):
        read_tables(course)


def test_an_empty_file_is_refused_in_words(course):
    (course / "oulad_course.csv").write_text("")
    with pytest.raises(UnreadableSource, match=r"oulad_course\.csv cannot be read as a table"):
        read_tables(course)
