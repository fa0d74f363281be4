"""Answers or reviews out of a CSV file, by a mapping. Rows with one answer id are one attempt on several topics."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path

from osler.errors import InvalidModelInput, UnreadableSource
from osler.ingest.importers.csv_mapping import UNIX, Mapping, read_mapping, read_time
from osler.ingest.importers.files import count_lines, number, open_csv
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord, event
from osler.science.ratings import rating_of

FIRST_YEAR, LAST_YEAR = 2000, 2100
_NOT_ID = re.compile(r"[^A-Za-z0-9_.:-]+")
Row = dict[str, str]


class CsvSource:
    """A CSV file and what its columns mean."""

    name = "csv"

    def __init__(self, path: Path, options: ImportOptions) -> None:
        if options.mapping_file is None:
            raise UnreadableSource(
                f"a CSV needs --mapping FILE; `osler import csv {path} > mine.toml` writes a first guess to look at",
                code="mapping.missing",
            )
        self._mapping: Mapping = read_mapping(options.mapping_file)
        self._path = path
        self._zones = options.zones(self._mapping.zone)
        self.total: int | None = max(0, count_lines(path) - 1)
        self.notes: list[str] = []
        self._topics_of: dict[tuple[str, str], tuple[str, ...]] = {}
        next(self._rows(), None)  # a file without the mapping's columns is said at once
        if self._mapping.columns.id is None:
            self.notes.append(
                "no column holds an id of the answer: the whole row stands for it, so a corrected row is a new event"
            )

    def entries(self) -> Entries:
        """Topics and questions that the file names; cards go under their topics."""
        prefix, columns = self._mapping.topic_prefix, self._mapping.columns
        topics: dict[str, str] = {prefix: "Own material"}
        items: dict[str, set[str]] = {}
        seen: dict[tuple[str, str], set[str]] = {}
        for row in self._rows():
            names = {f"{prefix}.{_id(name)}": name for name in self._topic_names(row)}
            topics |= names
            items.setdefault(_id(row[columns.item]), set()).update(names)
            if columns.id:
                of = seen.setdefault(self._key(row), set())
                of.update(names)
        self._topics_of = {key: tuple(sorted(of)) for key, of in seen.items()}
        found = {item: tuple(sorted(of)) for item, of in items.items()}
        if self._mapping.type == "flashcard_review":
            return Entries(topics=topics, cards=found, cards_mapped_by="csv")
        return Entries(topics=topics, questions=found)

    def records(self) -> Iterator[SourceRecord]:
        """One record for each answer; further rows of the same answer, wherever they stand, are merged into it."""
        met: set[tuple[str, str]] = set()
        for row in self._rows():
            key = self._key(row)
            if self._mapping.columns.id and key in met:
                yield SourceRecord(merged="same_answer")
                continue
            met.add(key)
            yield self._record(row, key)

    def _key(self, row: Row) -> tuple[str, str]:
        """Whose answer it is and which: the id column, or a hash of all that the row says but the learner."""
        columns = self._mapping.columns
        learner = row[columns.learner] if columns.learner else ""
        if columns.id:
            return learner, row[columns.id]
        said = sorted((name, str(cell)) for name, cell in row.items() if name != columns.learner)
        return learner, hashlib.sha256(repr(said).encode()).hexdigest()

    def _rows(self) -> Iterator[Row]:
        columns = self._mapping.columns
        named = (columns.at, columns.item, columns.id, columns.learner, columns.correct, columns.seconds)
        more = (columns.topics, columns.rating, columns.answer)
        required = tuple(name for name in (*named, *more) if name is not None)
        with open_csv(self._path, required, self._mapping.delimiter, self._mapping.encoding) as rows:
            yield from rows

    def _record(self, row: Row, key: tuple[str, str]) -> SourceRecord:
        columns = self._mapping.columns
        if columns.learner and not key[0].strip():
            return SourceRecord(skipped="no_learner")  # never the installation's own: the file is of several
        at = self._instant(row[columns.at])
        if at is None:
            return SourceRecord(skipped="time_unreadable")
        seconds = self._seconds(row)
        if seconds is None:
            return SourceRecord(skipped="seconds_unreadable")
        data = self._data(row, seconds)
        if data is None:
            return SourceRecord(skipped="no_grade")
        topics = self._topics_of.get(key) or [f"{self._mapping.topic_prefix}.{_id(n)}" for n in self._topic_names(row)]
        made = event(
            "csv", key[1], self._mapping.type, at, data,
            precision="day" if self._mapping.date_only else "ms", topic_ids=topics,
        )  # fmt: skip
        return SourceRecord((made,), learner=key[0] or None)

    def _seconds(self, row: Row) -> float | None:
        """How long the answer took; 0 where the table does not say, None where what it says is no duration."""
        cell = row[self._mapping.columns.seconds].strip() if self._mapping.columns.seconds else ""
        found = number(cell.replace(",", ".")) if cell else 0.0  # 12,5 as much of Europe writes it
        return None if found is None or found < 0 else round(found * self._mapping.seconds_per_unit, 3)

    def _rating(self, cell: str) -> int | None:
        """The rating of a grade on the table's scale; None for what is no grade there."""
        grade = number(cell)
        if grade is None or grade != int(grade):
            return None
        try:
            return rating_of(int(grade), self._mapping.scale)
        except InvalidModelInput:
            return None

    def _data(self, row: Row, seconds: float) -> dict[str, object] | None:
        columns = self._mapping.columns
        item = _id(row[columns.item])
        if self._mapping.type == "flashcard_review":
            rating = self._rating(row[columns.rating or ""])
            if rating is None:
                return None
            return {
                "card_id": item,
                "rating": rating,
                "kind": "review",
                "time_to_answer_seconds": min(3600.0, seconds),
                "affects_schedule": True,
            }
        said = row[columns.correct or ""].strip()
        if not said:
            return None
        answer = [_NOT_ID.sub("", row[columns.answer])[:8]] if columns.answer and row[columns.answer] else []
        return {
            "question_id": item,
            "answer": answer,
            "time_to_answer_seconds": min(14_400.0, seconds),
            "mode": "untimed",
            "is_correct": said in self._mapping.correct_values,
        }

    def _instant(self, text: str) -> datetime | None:
        try:
            at = read_time(text.strip(), self._mapping.date_format)
        except (ValueError, OverflowError, OSError):
            return None
        if not FIRST_YEAR <= at.year < LAST_YEAR:
            return None
        if self._mapping.date_only:
            return self._zones.placed(datetime.combine(at.date(), time(12)))
        if at.tzinfo is None:
            return self._zones.placed(at)
        said_utc = self._mapping.date_format in UNIX or text.strip()[-1:] in ("Z", "z")
        return self._zones.local(at) if said_utc else at

    def _topic_names(self, row: Row) -> list[str]:
        column = self._mapping.columns.topics
        if column is None or not row[column]:
            return []
        return [name.strip() for name in row[column].split(self._mapping.topic_separator) if name.strip()]


def _id(text: str) -> str:
    """An id that fits; what had to be changed gets a few characters of its hash, so that two never become one."""
    text = text.strip()
    plain = _NOT_ID.sub("_", text)
    if plain == text and len(plain) <= 60:
        return plain
    return plain[:48] + "." + hashlib.sha256(text.encode()).hexdigest()[:8]
