"""Are answers read in order, once each, and refused where they would show what is asked?"""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import zstandard

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.next_answer_data import Answers, dataset_name, occurrences, read

HEAD = "user_id,item_id,correct,skill_id\n"


def wrote(folder: Path, text: str, name: str = "set_a.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_answers_come_by_learner_in_their_order(tmp_path: Path) -> None:
    got = read(wrote(tmp_path, HEAD + "u,1,1,a\nv,1,0,a\nu,2,0,b;a\nu,1,1,a\n"))
    assert got.learner.tolist() == [0, 0, 0, 1]
    assert got.item.tolist() == [0, 1, 0, 0]
    assert got.correct.tolist() == [1, 0, 1, 0]
    assert [got.topic_sets[group] for group in got.topic_set.tolist()] == [(0,), (0, 1), (0,), (0,)]
    assert got.is_first().tolist() == [True, True, False, True]
    assert got.bounds().tolist() == [0, 3, 4]
    assert got.item_topics().tolist() == [[0, 0], [1, 0], [1, 1]]
    assert not got.has_time


@pytest.mark.parametrize("packed", ["plain", "zst", "gz", "bom"])
def test_packed_files_and_other_names_of_columns_are_read(tmp_path: Path, packed: str) -> None:
    text = "student_id,problem_id,skill,is_correct\nu,1,a,true\nu,2,a,0\n"
    path = tmp_path / ("x.csv" + {"zst": ".zst", "gz": ".gz"}.get(packed, ""))
    raw = text.encode()
    path.write_bytes(
        {"zst": zstandard.compress, "gz": gzip.compress, "bom": lambda b: b"\xef\xbb\xbf" + b}.get(packed, bytes)(raw)
    )
    assert read(path).correct.tolist() == [1, 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        "user_id,item_id\nu,1\n",
        HEAD + "u,1,2,a\n",
        HEAD + "u,1,,a\n",
        HEAD + ",1,1,a\n",
        HEAD + "u\n",
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableSource):
        read(wrote(tmp_path, text))


def test_the_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="row 3"):
        read(wrote(tmp_path, HEAD + "u,1,1,a\nu,1,perhaps,a\n"))


def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.zst"
    path.write_bytes(b"no archive")
    with pytest.raises(UnreadableSource):
        read(path)


def test_answers_expanded_to_a_row_per_skill_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="another skill"):
        read(wrote(tmp_path, HEAD + "u,1,1,a\nu,1,1,b\nu,2,0,a\n"))
    ordered = "order_id,user_id,item_id,correct,skill_id\n1,u,1,1,a\n2,u,2,0,a\n1,u,1,1,b\n"
    with pytest.raises(UnreadableSource, match="another skill"):
        read(wrote(tmp_path, ordered))


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("", ["u,1,1,a", "u,2,0,a", "u,1,1,b", "u,2,0,b"]),
        (",event_id", ["u,1,1,a,10", "u,1,1,b,11", "u,2,0,a,12"]),
        (",timestamp,event_id", ["u,1,1,a,1704067200,10", "u,2,0,a,1704067260,11", "u,1,1,b,1704067200,12"]),
    ],
    ids=["block after block", "every row a number of its own", "numbers of their own at one instant"],
)
def test_however_expanded_answers_stand_they_are_refused(tmp_path: Path, head: str, rows: list[str]) -> None:
    with pytest.raises(UnreadableSource, match="another skill") as refused:
        read(wrote(tmp_path, HEAD.strip() + head + "\n" + "\n".join(rows) + "\n"))
    assert refused.value.code == "source.expanded"


def test_a_second_try_later_under_a_new_skill_is_an_answer(tmp_path: Path) -> None:
    text = HEAD.strip() + ",ts\nu,1,1,a,1704067200\nu,1,1,b,1706745600\n"
    assert read(wrote(tmp_path, text)).correct.size == 2


def test_a_folder_is_all_its_tables_or_all_its_logs(tmp_path: Path) -> None:
    folder = tmp_path / "mine_2024"
    folder.mkdir()
    with pytest.raises(UnreadableSource, match="no table"):
        read(folder)
    wrote(folder, HEAD + "u,1,1,a\n", "a.csv")
    (folder / "b.csv.gz").write_bytes(gzip.compress((HEAD + "v,1,0,a\nu,2,0,a\n").encode()))
    wrote(folder, "nothing to read\n", "notes.txt")
    got = read(folder)
    assert (got.dataset, got.learner.tolist(), got.is_log) == ("mine", [0, 0, 1], False)
    wrote(folder, "{}\n", "c.jsonl")
    with pytest.raises(UnreadableSource, match="one kind"):
        read(folder)


def test_logs_of_a_folder_share_their_catalogue(tmp_path: Path) -> None:
    question = {"catalogue": "questions", "row": {"question_id": "q1", "topic_ids": ["heart"]}}
    member = {"table": "cohort_members", "row": {"cohort_id": "2026", "user_id": "u", "role": "learner"}}
    event = {"id": "1", "type": "question_submit", "user_id": "u", "occurred_at": "2026-03-01T08:00:00+01:00"}
    wrote(tmp_path, json.dumps(question) + "\n" + json.dumps(member) + "\n", "a.jsonl")
    wrote(tmp_path, json.dumps(event | {"data": {"question_id": "q1", "is_correct": True}}) + "\n", "b.ndjson")
    got = read(tmp_path)
    assert (got.topics, got.is_log, got.labels) == (("heart",), True, {"cohort": {"u": "2026"}})
    wrote(tmp_path, "{]\n", "c.jsonl")
    with pytest.raises(UnreadableSource, match=r"c\.jsonl, line 1"):
        read(tmp_path)


def test_ids_without_a_time_stand_in_the_order_of_their_instants(tmp_path: Path) -> None:
    rows = [
        {"id": f"u-{i}", "type": "question_submit", "user_id": "u", "occurred_at": f"2026-03-{i + 1:02d}T08:00:00Z",
         "data": {"question_id": f"q{i}", "is_correct": True}}
        for i in range(12)
    ]  # fmt: skip
    got = read(wrote(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "log.jsonl"))
    assert got.items == tuple(f"q{i}" for i in range(12))


def test_the_real_expanded_file_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnreadableSource, match="another skill"):
        read(shared_data / "assist09_raw_15_learners.csv")


def test_an_answer_sent_twice_is_one_answer(tmp_path: Path) -> None:
    rows = "u,1,1,a,2024-01-01T10:00:00Z\n" * 2 + "u,1,1,a,2024-01-01T10:05:00Z\n"
    got = read(wrote(tmp_path, HEAD.strip() + ",timestamp\n" + rows))
    assert got.correct.size == 2
    assert got.dropped["resent"] == 1


def test_a_second_try_without_instants_stays_an_answer(tmp_path: Path) -> None:
    assert read(wrote(tmp_path, HEAD + "u,1,0,a\nu,1,0,a\nu,1,1,a\n")).correct.size == 3


def test_instants_order_and_as_of_cuts(tmp_path: Path) -> None:
    text = HEAD.strip() + ",ts\nu,2,0,a,1704153600\nu,1,1,a,1704067200\nu,3,1,a,1704240000000\n"
    path = wrote(tmp_path, text)
    assert read(path).correct.tolist() == [1, 0, 1]
    assert read(path).has_time
    cut = read(path, date(2024, 1, 2))
    assert cut.correct.tolist() == [1, 0]
    assert cut.dropped["after as-of"] == 1
    with pytest.raises(InvalidInput, match="no dates"):
        read(wrote(tmp_path, HEAD + "u,1,1,a\n"), date(2024, 1, 1))


def test_osler_own_log_is_read(tmp_path: Path) -> None:
    def line(i: int, **more: object) -> str:
        data = {"question_id": f"q{i}", "answer": "A", "mode": "tutor", "is_correct": i % 2 == 0}
        at = f"2026-03-0{i}T08:00:00+01:00"
        event = {"id": str(i), "type": "question_submit", "schema": 1, "user_id": "u", "occurred_at": at}
        return json.dumps(event | {"topic_ids": ["heart"], "data": data} | more)

    lines = [
        line(2),
        line(1),
        line(3, type="material_open", data={}),
        line(4, data={"question_id": "q", "answer": "A"}),
    ]
    got = read(wrote(tmp_path, "\n".join(lines) + "\n", "log.jsonl"))
    assert got.is_log
    assert got.correct.tolist() == [0, 1]
    assert got.items == ("q1", "q2")
    assert got.topics == ("heart",)
    with pytest.raises(UnreadableSource, match=r"log\.jsonl, line 1"):
        read(wrote(tmp_path, "{]\n", "log.jsonl"))


def test_the_data_set_is_named_after_its_file() -> None:
    names = ["assist09_interactions.csv.zst", "assist09.csv", "mine.jsonl"]
    assert [dataset_name(Path("/x") / name) for name in names] == ["assist09", "assist09", "mine"]


def test_occurrences_count_what_stood_before() -> None:
    assert occurrences(np.array([1, 1, 2, 1]), np.array([5, 5, 5, 6])).tolist() == [0, 1, 0, 0]


def test_the_real_file_is_split_as_published(shared_data: Path) -> None:
    from osler.evaluate.next_answer_rows import split_by_learner

    got: Answers = read(shared_data / "assist09_interactions.csv.zst")
    split = split_by_learner(got)
    assert (got.correct.size, len(got.learners)) == (278_336, 3_114)
    assert (int((~split.is_test).sum()), int(split.is_test.sum())) == (221_960, 56_376)


@pytest.mark.parametrize("twice", [lambda rows: rows * 2, lambda rows: [row for row in rows for _ in range(2)]])
def test_answers_that_all_stand_there_twice_are_refused_but_for_instants(tmp_path: Path, twice) -> None:
    rows = [f"{who},q{i},{(i * who) % 3 == 0:d}" for who in (1, 2) for i in range(12)]
    head = "user_id,item_id,correct"
    assert len(read(wrote(tmp_path, "\n".join([head, *rows]))).item) == 24
    with pytest.raises(UnreadableSource, match="of 2 learners 2 gave each answer twice") as refused:
        read(wrote(tmp_path, "\n".join([head, *twice(rows)])))
    assert refused.value.code == "source.doubled"
    dated = [f"{row},{1000 + i}" for i, row in enumerate(twice(rows))]
    assert len(read(wrote(tmp_path, "\n".join([f"{head},timestamp", *dated]))).item) == 48
