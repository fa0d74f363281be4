"""Somebody's own table by a mapping: what a cell means, what is counted instead of stored, a guess that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import UnreadableSource
from osler.ingest.importers.csv_file import CsvSource, _id  # pyright: ignore[reportPrivateUsage]
from osler.ingest.importers.csv_mapping import suggest_mapping
from osler.ingest.importers.record import ImportOptions, SourceRecord

MAPPING = """
type = "question_submit"
zone = "Europe/Berlin"
{more}
[columns]
id = "id"
learner = "who"
at = "when"
item = "question"
correct = "right"
topics = "subject"
seconds = "took"
"""
HEAD = "id,who,when,question,right,subject,took\n"


def source(folder: Path, body: str, more: str = "", **options: object) -> CsvSource:
    (folder / "a.csv").write_text(HEAD + body)
    (folder / "a.toml").write_text(MAPPING.format(more=more))
    return CsvSource(folder / "a.csv", ImportOptions(mapping_file=folder / "a.toml", **options))  # type: ignore[arg-type]


def read(folder: Path, body: str, more: str = "") -> list[SourceRecord]:
    opened = source(folder, body, more)
    opened.entries()
    return list(opened.records())


@pytest.mark.parametrize(
    ("cell", "more", "expected"),
    [
        ("2026-03-29T01:30:00", "", "2026-03-29T01:30:00.000+01:00"),
        ("2026-03-29T03:30:00", "", "2026-03-29T03:30:00.000+02:00"),
        ("2026-03-29T12:00:00-05:00", "", "2026-03-29T12:00:00.000-05:00"),
        ("2026-03-29T12:00:00Z", "", "2026-03-29T14:00:00.000+02:00"),
        ("29.03.2026 14:00", 'date_format = "%d.%m.%Y %H:%M"', "2026-03-29T14:00:00.000+02:00"),
        ("1774785600", 'date_format = "unix"', "2026-03-29T14:00:00.000+02:00"),
        ("1774785600000", 'date_format = "unix_ms"', "2026-03-29T14:00:00.000+02:00"),
        ("2026-03-29", "date_only = true", "2026-03-29T12:00:00.000+02:00"),
    ],
)
def test_a_time_means_what_the_mapping_says(tmp_path: Path, cell: str, more: str, expected: str) -> None:
    (record,) = read(tmp_path, f"1,a,{cell},q,1,Renal\n", more)
    assert record.events[0]["occurred_at"] == expected
    assert record.events[0].get("time_precision") == ("day" if "date_only" in more else None)


def test_a_zone_on_the_command_line_wins_over_the_mapping(tmp_path: Path) -> None:
    opened = source(tmp_path, "1,a,2026-03-29T12:00:00,q,1,Renal\n", zone="Asia/Kolkata", zone_is_given=True)
    (record,) = opened.records()
    assert record.events[0]["occurred_at"].endswith("+05:30")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,a,soon,q,1,x", "time_unreadable"),
        ("1,a,1850-01-01,q,1,x", "time_unreadable"),
        ("1,a,2026-01-01,q", "no_grade"),
        ("1, ,2026-01-01,q,1,x", "no_learner"),
        ("1,a,2026-01-01,q,1,x,long", "seconds_unreadable"),
        ("1,a,2026-01-01,q,1,x,-3", "seconds_unreadable"),
    ],
)
def test_a_row_that_cannot_be_an_answer_says_why(tmp_path: Path, row: str, reason: str) -> None:
    assert [record.skipped for record in read(tmp_path, row + "\n")] == [reason]


@pytest.mark.parametrize(("cell", "seconds"), [("12.5", 12.5), ('"12,5"', 12.5), ("", 0.0)])
def test_a_duration_is_read_as_it_is_written(tmp_path: Path, cell: str, seconds: float) -> None:
    (record,) = read(tmp_path, f"1,a,2026-01-01,q,1,x,{cell}\n")
    assert record.events[0]["data"]["time_to_answer_seconds"] == seconds


@pytest.mark.parametrize(
    ("scale", "grades", "expected"),
    [
        ("", "0 1 2 3 4 5", [None, 1, 2, 3, 4, None]),
        ('scale = "anki"', "0 1 4 5", [None, 1, 4, None]),
        ('scale = "supermemo"', "0 1 2 3 4 5 6 2.5 x", [1, 1, 1, 2, 3, 4, None, None, None]),
        ('scale = "quality"', "2 3 5 6", [1, 2, 4, None]),
    ],
)
def test_a_grade_is_read_on_the_scale_of_its_source(
    tmp_path: Path, scale: str, grades: str, expected: list[int | None]
) -> None:
    body = "".join(f"{n},a,2026-01-01,q,{grade},x\n" for n, grade in enumerate(grades.split()))
    (tmp_path / "a.csv").write_text(HEAD + body)
    mapping = MAPPING.format(more=scale).replace("question_submit", "flashcard_review").replace("correct =", "rating =")
    (tmp_path / "a.toml").write_text(mapping)
    read_in = list(CsvSource(tmp_path / "a.csv", ImportOptions(mapping_file=tmp_path / "a.toml")).records())
    found = [record.events[0]["data"]["rating"] if record.events else None for record in read_in]
    assert found == expected
    assert [record.skipped for record in read_in] == ["no_grade" if each is None else None for each in expected]


@pytest.mark.parametrize(("grades", "scale"), [("1 2 4", "rating"), ("0 3 4", "anki"), ("0 3 5", "supermemo")])
def test_a_first_guess_names_the_scale_that_the_grades_fit(tmp_path: Path, grades: str, scale: str) -> None:
    path = tmp_path / "b.csv"
    path.write_text("id,card,date,grade\n" + "".join(f"1,c,2026-01-01,{grade}\n" for grade in grades.split()))
    assert f'scale = "{scale}"' in suggest_mapping(path)


def test_rows_of_one_answer_are_one_attempt_wherever_they_stand(tmp_path: Path) -> None:
    body = "7,a,2026-01-01,q,1,Renal\n8,a,2026-01-02,q,0,Renal\n7,a,2026-01-01,q,1,Heart\n7,b,2026-01-01,q,1,Lung\n"
    found = read(tmp_path, body)
    assert [record.merged for record in found] == [None, None, "same_answer", None]
    assert found[0].events[0]["topic_ids"] == ["own.Heart", "own.Renal"]
    assert found[3].events[0]["topic_ids"] == ["own.Lung"]


def test_no_name_of_a_learner_is_part_of_an_event(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "1,jane@example.org,2026-01-01,q,1,Renal\n")
    (other,) = read(tmp_path, "1,john@example.org,2026-01-01,q,1,Renal\n")
    assert one.events == other.events
    assert (one.learner, other.learner) == ("jane@example.org", "john@example.org")


def test_without_an_id_the_whole_row_stands_for_the_answer_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + "1,a,2026-01-01,q,1,x\n1,a,2026-01-01,q,0,x\n")
    (tmp_path / "a.toml").write_text(MAPPING.format(more="").replace('id = "id"\n', ""))
    opened = CsvSource(tmp_path / "a.csv", ImportOptions(mapping_file=tmp_path / "a.toml"))
    assert len({event["id"] for record in opened.records() for event in record.events}) == 2
    assert any("corrected row is a new event" in note for note in opened.notes)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('delimiter = "||"', "one character"),
        ('encoding = "klingon"', "no encoding"),
        ("surprise = 1", "surprise"),
        ('seconds_per_unit = "fast"', "seconds_per_unit"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(UnreadableSource, match=said):
        source(tmp_path, "", more)


def test_without_a_mapping_a_guess_is_shown_that_can_be_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "answer_id;user_id;answered_at;question_id;is_correct;time_taken;subject\n"
        "1;a;24.12.2025 18:30:00;q1;1;12,5;Renal\n2;a;25.12.2025 18:30:00;q2;0;9;Heart\n"
    )
    with pytest.raises(UnreadableSource, match="needs --mapping"):
        CsvSource(tmp_path / "mine.csv", ImportOptions())
    (tmp_path / "guess.toml").write_text(suggest_mapping(tmp_path / "mine.csv"))
    opened = CsvSource(tmp_path / "mine.csv", ImportOptions(mapping_file=tmp_path / "guess.toml"))
    assert set(opened.entries().questions) == {"q1", "q2"}
    assert [e["occurred_at"][:10] for r in opened.records() for e in r.events] == ["2025-12-24", "2025-12-25"]


@given(st.text(max_size=90), st.text(max_size=90))
def test_two_texts_never_become_one_id(a: str, b: str) -> None:
    assert (_id(a) == _id(b)) == (a.strip() == b.strip() or a == b)
    assert len(_id(a)) <= 60
