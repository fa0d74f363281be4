"""What stands in a file of answers? Rows of a CSV, or graded answers of Osler's own log, as they were written.

CSV (`.csv`, `.csv.gz`, `.csv.zst`): one row an answer, in the learner's order, columns by any of the names in
`COLUMNS`; several topics of an item stand in one cell, parted by `;`, `~` or `|`. JSONL (`.jsonl`, `.jsonl.gz`,
`.jsonl.zst`): events as `osler export` writes them; `question_submit` with a grade is read, the rest is passed over.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import msgspec
import zstandard

from osler.errors import UnreadableSource

COLUMNS = {
    "learner": ("user_id", "learner_id", "student_id", "learner", "user", "student"),
    "item": ("item_id", "question_id", "problem_id", "item", "question", "problem"),
    "correct": ("correct", "is_correct", "right", "outcome"),
    "topics": ("skill_id", "topic_id", "topic_ids", "kc_id", "skill", "topic", "skills", "topics"),
    "instant": ("timestamp", "occurred_at", "at", "ts", "start_time"),
    "order": ("order_id", "event_id", "seq"),
}
OPTIONAL = ("topics", "instant", "order")
PARTS = re.compile(r"[;~|]")
RIGHT = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read."""

    learner: str
    item: str
    topics: tuple[str, ...]
    correct: float
    at: float
    order: str


def rows_of_file(path: Path) -> list[Row]:
    """All rows of a file, in its order. Errors: UnreadableSource, naming the row."""
    try:
        with _opened(path) as stream:
            return list(_log_rows(stream) if is_log(path) else _csv_rows(stream))
    except (OSError, UnicodeDecodeError, csv.Error, zstandard.ZstdError, EOFError) as broken:
        raise UnreadableSource(f"{path.name} cannot be read: {broken}") from broken


def is_log(path: Path) -> bool:
    """Whether a file holds events rather than a table."""
    return ".jsonl" in path.suffixes


def _opened(path: Path) -> TextIO:
    if path.suffix == ".zst":
        packed = cast("BinaryIO", zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True))
        return io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _csv_rows(stream: TextIO) -> Iterator[Row]:
    reader = csv.reader(stream)
    header = [name.strip().lower() for name in next(reader, None) or ()]
    place = {what: _column(header, what) for what in COLUMNS}
    scaffold = header.index("original") if "original" in header else None
    for number, cells in enumerate(reader, start=2):
        if scaffold is not None and cells[scaffold] == "0":
            continue
        try:
            yield _csv_row(cells, place)
        except (IndexError, KeyError, ValueError) as bad:
            raise UnreadableSource(f"Row {number}: {bad} is not a usable value.", params={"row": number}) from bad


def _column(header: Sequence[str], what: str) -> int | None:
    for name in COLUMNS[what]:
        if name in header:
            return header.index(name)
    if what in OPTIONAL:
        return None
    raise UnreadableSource(f"No column for the {what}: one of {', '.join(COLUMNS[what])} is needed.")


def _csv_row(cells: Sequence[str], place: dict[str, int | None]) -> Row:
    def cell(what: str) -> str:
        at = place[what]
        return "" if at is None else cells[at].strip()

    learner, item = cell("learner"), cell("item")
    if not learner or not item:
        raise ValueError("an empty learner or item")
    topics = tuple(dict.fromkeys(part.strip() for part in PARTS.split(cell("topics")) if part.strip()))
    return Row(learner, item, topics, RIGHT[cell("correct").lower()], _seconds(cell("instant")), cell("order"))


def _seconds(text: str) -> float:
    """Epoch seconds of an instant: a number of seconds or milliseconds, or ISO 8601; NaN where there is none."""
    if not text:
        return float("nan")
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return number / 1000.0 if number > 1e11 else number


class _LogData(msgspec.Struct):
    question_id: str | None = None
    is_correct: bool | None = None
    topic_ids: tuple[str, ...] | None = None


class _LogStored(msgspec.Struct):
    is_correct: bool | None = None


class _LogLine(msgspec.Struct):
    """A line of an export; those besides events have no type."""

    type: str = ""
    occurred_at: str = ""
    id: str = ""
    user_id: str = ""
    is_correct: bool | None = None
    topic_ids: tuple[str, ...] | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    stored: _LogStored = msgspec.field(default_factory=_LogStored)


def _log_rows(stream: TextIO) -> Iterator[Row]:
    line, data = msgspec.json.Decoder(_LogLine), msgspec.json.Decoder(_LogData)
    for number, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            event = line.decode(text)
            if event.type != "question_submit":
                continue
            body = data.decode(event.data)
            grades = (event.is_correct, event.stored.is_correct, body.is_correct)
            grade = next((found for found in grades if found is not None), None)
            topics = event.topic_ids or body.topic_ids or ()
            at = datetime.fromisoformat(event.occurred_at).timestamp()
        except (msgspec.DecodeError, ValueError) as bad:
            raise UnreadableSource(f"Line {number}: {bad}", params={"row": number}) from bad
        if grade is not None and body.question_id:
            yield Row(event.user_id, body.question_id, topics, float(grade), at, event.id)
