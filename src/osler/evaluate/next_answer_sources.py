"""What stands in a file of answers? Rows of a CSV, or graded answers of Osler's own log, as they were written.

CSV (`.csv`, `.csv.gz`, `.csv.zst`): one row an answer, in the learner's order, columns by any of the names in
`COLUMNS`; several topics of an item stand in one cell, parted by `;`, `~` or `|`. JSONL (`.jsonl`, `.ndjson`, packed
likewise): events as `osler export` writes them (`next_answer_logs`). A folder is all its tables or all its logs.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import zstandard

from osler.errors import UnreadableSource
from osler.evaluate import groups
from osler.evaluate.next_answer_logs import Row, log_rows

COLUMNS = {
    "learner": ("user_id", "learner_id", "student_id", "learner", "user", "student"),
    "item": ("item_id", "question_id", "problem_id", "item", "question", "problem"),
    "correct": ("correct", "is_correct", "right", "outcome"),
    "topics": ("skill_id", "topic_id", "topic_ids", "kc_id", "skill", "topic", "skills", "topics"),
    "instant": ("timestamp", "occurred_at", "at", "ts", "start_time"),
    "order": ("order_id", "event_id", "seq"),
    **groups.COLUMNS,
}
OPTIONAL = ("topics", "instant", "order", *groups.COLUMNS)
LOGS, TABLES = (".jsonl", ".ndjson"), (".csv",)
PACKED = ("", ".gz", ".zst")
PARTS = re.compile(r"[;~|]")
RIGHT = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}


def rows_of_file(path: Path) -> list[Row]:
    """All rows of a file or folder, in its order. Errors: UnreadableSource, naming the file and the row."""
    if not path.is_dir():
        return _rows_of_files([path])
    logs, tables = _ending(path, LOGS), _ending(path, TABLES)
    if not logs and not tables:
        raise UnreadableSource(f"The folder {path.name} holds no table (.csv) and no log (.jsonl) of answers.")
    if logs and tables:
        raise UnreadableSource(
            f"The folder {path.name} holds tables ({tables[0].name}) and logs ({logs[0].name}): give it one kind."
        )
    return _rows_of_files(logs or tables)


def is_log(path: Path) -> bool:
    """Whether a file holds events rather than a table; a folder, whether its files do."""
    return bool(_ending(path, LOGS)) if path.is_dir() else bool(set(LOGS) & set(path.suffixes))


def _ending(folder: Path, kinds: Sequence[str]) -> list[Path]:
    wanted = tuple(kind + packed for kind in kinds for packed in PACKED)
    return sorted(file for file in folder.iterdir() if file.name.endswith(wanted))


def _rows_of_files(files: Sequence[Path]) -> list[Row]:
    """Logs are read as one: what stands in the catalogue of the first is known to the events of the second."""
    if is_log(files[0]):
        return list(log_rows(_lines(files)))
    rows: list[Row] = []
    for file in files:
        with _readable(file) as stream:
            rows.extend(_csv_rows(stream, file.name))
    return rows


def log_lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a log or of a folder of logs, in order of name: (where it stands, text)."""
    return _lines(_ending(path, LOGS) if path.is_dir() else [path])


def _lines(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        with _readable(file) as stream:
            for number, line in enumerate(stream, start=1):
                yield f"{file.name}, line {number}", line


@contextmanager
def _readable(file: Path) -> Generator[TextIO]:
    try:
        with _opened(file) as stream:
            yield stream
    except (OSError, UnicodeDecodeError, csv.Error, zstandard.ZstdError, EOFError) as broken:
        raise UnreadableSource(f"{file.name} cannot be read as a table or log: {broken}") from broken


def _opened(path: Path) -> TextIO:
    if path.suffix == ".zst":
        packed = cast("BinaryIO", zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True))
        return io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _csv_rows(stream: TextIO, file: str) -> Iterator[Row]:
    reader = csv.reader(stream)
    header = [name.strip().lower() for name in next(reader, None) or ()]
    place = {what: _column(header, what, file) for what in COLUMNS}
    scaffold = header.index("original") if "original" in header else None
    for number, cells in enumerate(reader, start=2):
        if scaffold is not None and cells[scaffold] == "0":
            continue
        try:
            yield _csv_row(cells, place)
        except (IndexError, KeyError, ValueError) as bad:
            said = f"{file}, row {number}: {bad} is not a usable value."
            raise UnreadableSource(said, params={"row": number}) from bad


def _column(header: Sequence[str], what: str, file: str) -> int | None:
    for name in COLUMNS[what]:
        if name in header:
            return header.index(name)
    if what in OPTIONAL:
        return None
    raise UnreadableSource(f"{file} has no column for the {what}: one of {', '.join(COLUMNS[what])} is needed.")


def _csv_row(cells: Sequence[str], place: dict[str, int | None]) -> Row:
    def cell(what: str) -> str:
        at = place[what]
        return "" if at is None else cells[at].strip()

    learner, item = cell("learner"), cell("item")
    if not learner or not item:
        raise ValueError("an empty learner or item")
    topics = tuple(dict.fromkeys(part.strip() for part in PARTS.split(cell("topics")) if part.strip()))
    return Row(
        learner, item, topics, RIGHT[cell("correct").lower()], _seconds(cell("instant")), cell("order"),
        cohort=cell("cohort"), group=cell("group"),
    )  # fmt: skip


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
