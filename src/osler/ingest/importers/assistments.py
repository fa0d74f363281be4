"""ASSISTments answers, in both shapes: the raw log, and one row an answer.

Source: Feng, Heffernan, Koedinger 2009. The raw log repeats an answer once for each skill: rows that share an
`order_id` are one attempt with several topics, as kept apart they leak the outcome. There is no clock, only an order:
the times made here keep the order, say `time_precision: day`, and mean nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from osler.ingest.importers.files import count_lines, number, open_csv
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord, event

BEGIN = datetime(2009, 9, 1, 12, tzinfo=UTC)
RAW = ("order_id", "user_id", "problem_id", "original", "correct", "ms_first_response", "skill_id")
PLAIN = ("user_id", "item_id", "correct", "skill_id")
MOST_SECONDS = 14_400.0
MOST_DIGITS = 9
Row = dict[str, str]


class AssistmentsSource:
    """A file of one of the two shapes."""

    name = "assistments"

    def __init__(self, path: Path, options: ImportOptions) -> None:  # noqa: ARG002 (every source is made alike)
        self._path = path
        self.total: int | None = max(0, count_lines(self._path) - 1)
        self.notes = ["ASSISTments has no clock: times keep the order of answers and mean nothing else"]
        with open_csv(self._path, ("user_id", "correct", "skill_id")) as rows:
            self._is_raw = "order_id" in (rows.fieldnames or [])

    def entries(self) -> Entries:
        """Skills as topics, problems as questions that were graded elsewhere."""
        topics: dict[str, str] = {"assistments": "ASSISTments skills"}
        questions: dict[str, set[str]] = {}
        item = "problem_id" if self._is_raw else "item_id"
        with open_csv(self._path, RAW if self._is_raw else PLAIN) as rows:
            for row in rows:
                of = questions.setdefault(f"assist.{row[item]}", set())
                if row["skill_id"]:
                    topic = _topic(row["skill_id"])
                    topics[topic] = row.get("skill_name") or f"Skill {row['skill_id']}"
                    of.add(topic)
        return Entries(topics=topics, questions={q: tuple(sorted(t)) for q, t in questions.items()})

    def records(self) -> Iterator[SourceRecord]:
        """Attempts in the order of the source."""
        return self._raw() if self._is_raw else self._plain()

    def _raw(self) -> Iterator[SourceRecord]:
        with open_csv(self._path, RAW) as rows:
            whole: list[Row] = []
            for row in rows:
                if row["order_id"].isdigit() and len(row["order_id"]) <= MOST_DIGITS:
                    whole.append(row)
                else:
                    yield SourceRecord(skipped="row_unreadable")
        whole.sort(key=lambda row: int(row["order_id"]))
        for _, same in itertools.groupby(whole, key=lambda row: row["order_id"]):
            yield from _one_answer(list(same))

    def _plain(self) -> Iterator[SourceRecord]:
        with open_csv(self._path, PLAIN) as rows:
            for number, row in enumerate(rows):
                yield _plain_answer(number, row)


def _one_answer(rows: list[Row]) -> Iterator[SourceRecord]:
    first = rows[0]
    if first["original"] == "0":
        yield SourceRecord(skipped="scaffold", n=len(rows))
        return
    if first["correct"] not in ("0", "1"):
        yield SourceRecord(skipped="no_grade", n=len(rows))
        return
    seconds = min(MOST_SECONDS, max(0.0, number(first["ms_first_response"]) or 0.0) / 1000)
    data = _data(f"assist.{first['problem_id']}", first["correct"], seconds)
    data["hints_used"] = min(20, max(0, int(number(first.get("hint_count") or "0") or 0)))
    skills = [_topic(row["skill_id"]) for row in rows if row["skill_id"]]
    at = BEGIN + timedelta(seconds=int(first["order_id"]))
    made = event("assistments", first["order_id"], "question_submit", at, data, precision="day", topic_ids=skills)
    yield SourceRecord((made,), learner=first["user_id"])
    if len(rows) > 1:
        yield SourceRecord(merged="same_answer", n=len(rows) - 1)


def _plain_answer(number: int, row: Row) -> SourceRecord:
    if row["correct"] not in ("0", "1"):
        return SourceRecord(skipped="no_grade")
    at = BEGIN + timedelta(minutes=number)
    source_id = f"{row['user_id']}:{row['item_id']}:{number}"
    data = _data(f"assist.{row['item_id']}", row["correct"], 0.0)
    topics = [_topic(row["skill_id"])] if row["skill_id"] else []
    made = event("assistments-plain", source_id, "question_submit", at, data, precision="day", topic_ids=topics)
    return SourceRecord((made,), learner=row["user_id"])


def _data(question_id: str, correct: str, seconds: float) -> dict[str, object]:
    return {
        "question_id": question_id,
        "answer": [],
        "time_to_answer_seconds": seconds,
        "mode": "untimed",
        "is_correct": correct == "1",
    }


def _topic(skill_id: str) -> str:
    """A skill as a topic; a combination such as `12_48` is a topic of its own, as in the source."""
    return f"assistments.{skill_id}"
