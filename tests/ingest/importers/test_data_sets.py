"""The public data sets, row by row: what becomes an attempt, what is merged, what is counted by its reason."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import UnreadableSource
from osler.ingest.importers.assistments import AssistmentsSource
from osler.ingest.importers.epm import EpmSource
from osler.ingest.importers.oulad import OuladSource
from osler.ingest.importers.record import ImportOptions, SourceRecord
from osler.ingest.importers.xapi import EXTENSIONS, XapiSource

OPTIONS = ImportOptions()
RAW = "order_id,user_id,problem_id,original,correct,ms_first_response,skill_id,skill_name,hint_count\n"
EPM = "session,student_id,exercise,activity,start_time,end_time,idle_time\n"


def raw(folder: Path, body: str) -> AssistmentsSource:
    (folder / "raw.csv").write_text("\ufeff" + RAW + body)
    return AssistmentsSource(folder / "raw.csv", OPTIONS)


def what(records: list[SourceRecord]) -> list[tuple[str, int]]:
    return [(r.skipped or r.merged or ("outcome" if r.stored else "events"), r.n) for r in records]


def test_assistments_rows_of_one_answer_are_one_attempt_on_all_its_skills(tmp_path: Path) -> None:
    body = (
        "9,u,p,1,0,5000,2,Mode,1\n7,u,p,1,1,3000,1,Mean,0\n7,u,p,1,1,3000,2,Mode,0\n"
        "8,u,p,0,1,1,1,Mean,0\n8,u,p,0,1,1,2,Mode,0\nx,u,p,1,1,1,1,Mean,0\n10,u,p,1,0.5,1,,,0\n"
    )
    source = raw(tmp_path, body)
    records = list(source.records())
    assert what(records) == [
        ("row_unreadable", 1), ("events", 1), ("same_answer", 1), ("scaffold", 2), ("events", 1), ("no_grade", 1),
    ]  # fmt: skip
    assert sum(record.n for record in records) == source.total
    first, second = (record.events[0] for record in records if record.events)
    assert first["topic_ids"] == ["assistments.1", "assistments.2"]
    assert (first["data"]["is_correct"], first["data"]["time_to_answer_seconds"]) == (True, 3.0)
    assert first["occurred_at"] < second["occurred_at"]
    assert first["time_precision"] == "day"


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("01"), st.integers(1, 4)), max_size=30))
def test_assistments_every_row_is_counted_once(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("a")
    source = raw(folder, "".join(f"{order},u,p,{original},1,9,{skill},s,0\n" for order, original, skill in rows))
    records = list(source.records())
    assert sum(record.n for record in records) == len(rows)
    assert sum(bool(r.events) for r in records) <= len({order for order, _, _ in rows})


def oulad(folder: Path, submissions: str, results: str) -> OuladSource:
    (folder / "oulad_course.csv").write_text(
        "code_module,code_presentation,module_presentation_length\nAAA,2013J,268\nAAA,2014B,240\n"
    )
    (folder / "oulad_assessment.csv").write_text(
        "id_assessment,code_module,code_presentation\n1,AAA,2013J\n2,AAA,2014B\n"
    )
    (folder / "oulad_student_assessment.csv").write_text(
        "id_assessment,id_student,date_submitted,is_banked,score\n" + submissions
    )
    (folder / "oulad_student.csv").write_text("code_module,code_presentation,id_student,final_result\n" + results)
    return OuladSource(folder, OPTIONS)


def test_oulad_days_count_from_the_start_of_the_presentation(tmp_path: Path) -> None:
    found = list(oulad(tmp_path, "1,5,18,0,78\n2,5,-1,0,30\n", "").records())
    assert [record.events[0]["occurred_at"] for record in found] == [
        "2013-10-19T12:00:00.000+01:00", "2014-01-31T12:00:00.000+00:00",
    ]  # fmt: skip
    assert [record.events[0]["data"]["score"] for record in found] == [0.78, 0.3]


def test_oulad_what_is_no_new_work_is_counted_by_its_reason(tmp_path: Path) -> None:
    submissions = "1,5,1,1,80\n1,6,1,0,\n9,6,1,0,50\n1,7,?,0,50\n1,8,1e9,0,50\n"
    results = "AAA,2013J,5,Pass\nAAA,2013J,6,Withdrawn\nAAA,2013J,7,Unclear\nBBB,2013J,5,Pass\nAAA,soon,5,Pass\n"
    source = oulad(tmp_path, submissions, results)
    records = list(source.records())
    reasons = ["banked", "no_score", "assessment_unknown", "date_unreadable", "date_unreadable"]
    more = ["outcome", "withdrew", "result_unknown", "presentation_unknown", "presentation_unknown"]
    assert [reason for reason, _ in what(records)] == reasons + more
    assert len(records) == source.total
    stored = records[5].stored
    assert stored is not None
    assert (stored.exam_id, str(stored.on), stored.passed) == ("oulad.AAA.2013J", "2014-06-26", True)


def test_oulad_a_file_that_is_no_table_of_it_is_refused(tmp_path: Path) -> None:
    oulad(tmp_path, "", "")
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(UnreadableSource, match=r"other\.csv is no table of the data set"):
        OuladSource(tmp_path / "other.csv", ImportOptions())
    assert OuladSource(tmp_path / "oulad_student.csv", ImportOptions()).total == 0


def test_oulad_a_folder_without_the_data_set_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="oulad_course"):
        OuladSource(tmp_path, OPTIONS)


def epm(folder: Path, *rows: str) -> list[SourceRecord]:
    (folder / "epm_events.csv").write_text(EPM + "".join(f"{row}\n" for row in rows))
    return list(EpmSource(folder, OPTIONS).records())


@pytest.mark.parametrize(
    ("start", "end", "events", "first"),
    [
        ("2.10.2014 9:24:19", "2.10.2014 9:24:20", 2, "2014-10-02T09:24:19.000+02:00"),
        ("26.10.2014 9:00:00", "26.10.2014 9:00:00", 1, "2014-10-26T09:00:00.000+01:00"),
        ("16.12.2014 11:05:01", "16.12.2014 11:05:00", 0, None),
        ("31.11.2014 9:00:00", "1.12.2014 9:00:00", 0, None),
        ("2014-10-02 09:24:19", "2.10.2014 9:24:20", 0, None),
    ],
)
def test_epm_times_are_day_first_and_local(
    tmp_path: Path, start: str, end: str, events: int, first: str | None
) -> None:
    (record,) = epm(tmp_path, f"1,4,Es_1_1,TextEditor_Es_1_1,{start},{end},0")
    assert len(record.events) == events
    assert record.skipped == (None if events else "time_unreadable")
    assert not events or record.events[0]["occurred_at"] == first


def test_epm_what_was_off_task_is_counted_apart(tmp_path: Path) -> None:
    at = "2.10.2014 9:24:19"
    found = epm(tmp_path, f"1,4,Es,Other,{at},{at},0", f"1,4,Es,Blank,{at},{at},0")
    assert [record.skipped for record in found] == ["off_task", "blank_page"]


def test_epm_a_second_sitting_is_an_exam_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "epm_final_grades.csv").write_text(
        'Student ID,"TOTAL\n(100 points)",sitting\n4,55,Exam (First time)\n4,71,Exam (Second time)\n5,,Exam\n'
    )
    first, second, none = epm(tmp_path)
    assert first.stored is not None
    assert second.stored is not None
    assert (first.stored.exam_id, first.stored.score, first.stored.passed) == ("epm.final", 0.55, False)
    assert (second.stored.exam_id, second.stored.passed) == ("epm.final.2", True)
    assert none.skipped == "no_score"


ACTOR = {"mbox": "mailto:Jane@Example.org"}


def statement(verb: str, result: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "9f1c", "actor": ACTOR, "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}"},
        "object": {"id": "uuid://v1", "definition": {"type": "https://w3id.org/xapi/video/activity-type/video"}},
        "timestamp": "2021-03-01T10:00:00.123+01:00", "result": result or {}, **more,
    }  # fmt: skip


def xapi(folder: Path, *statements: Any, options: ImportOptions = OPTIONS) -> list[SourceRecord]:

    lines = [each if isinstance(each, str) else json.dumps(each) for each in statements]
    (folder / "s.jsonl").write_text("\n".join(lines) + "\n")
    return list(XapiSource(folder / "s.jsonl", options).records())


def at(seconds: float, name: str = "time") -> dict[str, Any]:
    return {"extensions": {EXTENSIONS + name: seconds}}


@pytest.mark.parametrize(
    ("verb", "result", "made"),
    [
        ("initialized", {}, "material_open"),
        ("played", at(3.5), "video_play"),
        ("paused", at(9), "video_pause"),
        ("seeked", {"extensions": {EXTENSIONS + "time-from": 1, EXTENSIONS + "time-to": 9}}, "video_seek"),
        ("progressed", at(1.4, "progress"), "material_progress"),
        ("completed", {}, "material_complete"),
        ("answered", {"success": True}, "question_submit"),
        ("played", {}, "result_incomplete"),
        ("played", {"extensions": {EXTENSIONS + "time": "soon"}}, "result_unreadable"),
        ("answered", {"success": "yes"}, "result_incomplete"),
        ("danced", {}, "unmapped.danced"),
    ],
)
def test_xapi_a_verb_becomes_its_event_or_is_counted_by_name(
    tmp_path: Path, verb: str, result: dict[str, Any], made: str
) -> None:
    (record,) = xapi(tmp_path, statement(verb, result))
    assert made == (record.skipped or record.events[0]["type"])


@pytest.mark.parametrize("written", ["one line", "indented", "gz"])
def test_xapi_one_array_of_statements_is_read_like_lines(tmp_path: Path, written: str) -> None:
    statements: list[Any] = [statement("completed", id=f"00000000-0000-4000-8000-{n:012}") for n in range(3000)]
    text = json.dumps([*statements, 7, {"x": "]},["}], indent=1 if written == "indented" else None)
    path = tmp_path / ("s.json.gz" if written == "gz" else "s.json")
    path.write_bytes(gzip.compress(text.encode()) if written == "gz" else b"\xef\xbb\xbf " + text.encode())
    found = list(XapiSource(path, OPTIONS).records())
    assert [record.skipped for record in found] == [None] * 3000 + ["line_unreadable", "unmapped.none"]
    assert found[0] == xapi(tmp_path, statements[0])[0]


@pytest.mark.parametrize("text", ['[{"id": 1}', '[{"id": 1}, {"id"', "[", "[nonsense]"])
def test_xapi_an_array_that_is_torn_is_said_to_be(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(UnreadableSource, match="ends inside its array"):
        list(XapiSource(path, OPTIONS).records())


def test_xapi_one_person_is_one_learner_and_never_part_of_an_event(tmp_path: Path) -> None:
    other = statement("completed", actor={"mbox": "mailto:jane@example.org", "name": "Jane Doe"})
    found = xapi(tmp_path, statement("completed"), other)
    assert found[0].learner == found[1].learner
    assert "jane" not in repr([record.events for record in found]).lower()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"timestamp": "yesterday"}, "no_time"), ({"timestamp": "2021-03-01T10:00:00"}, "no_time"),
        ({"actor": {"name": "Jane"}}, "no_actor"), ({"actor": "Jane"}, "no_actor"), ({"id": None}, "no_id"),
    ],
)  # fmt: skip
def test_xapi_a_statement_that_lacks_something_says_what(tmp_path: Path, broken: Any, reason: str) -> None:
    assert [record.skipped for record in xapi(tmp_path, statement("completed", **broken))] == [reason]


def test_xapi_a_plain_z_leaves_the_day_to_the_learners_zone_unless_one_is_given(tmp_path: Path) -> None:
    told = statement("completed", timestamp="2021-03-01T23:00:00Z")
    given = ImportOptions(zone="Asia/Kolkata", zone_is_given=True)
    (plain,), (placed,) = xapi(tmp_path, told), xapi(tmp_path, told, options=given)
    assert plain.events[0]["occurred_at"] == "2021-03-01T23:00:00.000Z"
    assert placed.events[0]["occurred_at"] == "2021-03-02T04:30:00.000+05:30"
    assert plain.events[0]["id"] == placed.events[0]["id"]


def test_xapi_broken_lines_are_counted_and_a_foreign_file_is_refused(tmp_path: Path) -> None:
    assert [r.skipped for r in xapi(tmp_path, "{}", "{broken", "[1]")] == ["unmapped.none"] + ["line_unreadable"] * 2
    with pytest.raises(UnreadableSource, match="no JSON object"):
        xapi(tmp_path, "a,b,c")


def test_times_of_every_source_are_aware(tmp_path: Path) -> None:
    made = [*xapi(tmp_path, statement("completed")), *raw(tmp_path, "7,u,p,1,1,3000,1,Mean,0\n").records()]
    assert all(datetime.fromisoformat(e["occurred_at"]).tzinfo for record in made for e in record.events)
