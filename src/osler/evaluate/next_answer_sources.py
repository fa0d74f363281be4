"""What stands in a file of answers? Rows of a CSV, or graded answers of Osler's own log, as they were written.

CSV (`.csv`, `.csv.gz`, `.csv.zst`): one row an answer, in the learner's order, columns by any of the names in
`COLUMNS`; several topics of an item stand in one cell, parted by `;`, `~` or `|`. JSONL (`.jsonl`, `.jsonl.gz`,
`.jsonl.zst`): events as `osler export` writes them (`next_answer_logs`).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import zstandard

from osler.errors import UnreadableSource
from osler.evaluate.next_answer_logs import Row, log_rows

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


def rows_of_file(path: Path) -> list[Row]:
    """All rows of a file, in its order. Errors: UnreadableSource, naming the row."""
    try:
        with _opened(path) as stream:
            return list(log_rows(stream) if is_log(path) else _csv_rows(stream))
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
