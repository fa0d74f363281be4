"""Answers or reviews out of a CSV file, by a mapping. Rows with one answer id are one attempt on several topics."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from osler.errors import UnreadableSource
from osler.ingest.importers.csv_mapping import Mapping, read_mapping, suggest_mapping
from osler.ingest.importers.files import count_lines, open_csv
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord, event

_NOT_ID = re.compile(r"[^A-Za-z0-9_.:-]+")
Row = dict[str, str]


class CsvSource:
    """A CSV file and what its columns mean."""

    name = "csv"

    def __init__(self, path: Path, options: ImportOptions) -> None:
        if options.mapping_file is None:
            raise UnreadableSource(
                "a CSV needs a mapping file (--mapping FILE). This is a first guess; look at it, save it, use it:\n\n"
                + suggest_mapping(path),
                code="mapping.missing",
            )
        self._mapping: Mapping = read_mapping(options.mapping_file)
        self._path = path
        self._zone = ZoneInfo(options.zone if options.zone_is_given else self._mapping.zone)
        self.total: int | None = max(0, count_lines(path) - 1)
        self.notes: list[str] = []
        if self._mapping.columns.id is None:
            self.notes.append(
                "no column holds an id of the answer: the whole row stands for it, so a corrected row is a new event"
            )

    def entries(self) -> Entries:
        """Topics and questions that the file names; cards go under their topics."""
        prefix, columns = self._mapping.topic_prefix, self._mapping.columns
        topics: dict[str, str] = {prefix: "Own material"}
        items: dict[str, set[str]] = {}
        for row in self._rows():
            of = items.setdefault(_id(row[columns.item]), set())
            for name in self._topic_names(row):
                topic = f"{prefix}.{_id(name)}"
                topics[topic] = name
                of.add(topic)
        found = {item: tuple(sorted(of)) for item, of in items.items()}
        if self._mapping.type == "flashcard_review":
            return Entries(topics=topics, cards=found, cards_mapped_by="csv")
        return Entries(topics=topics, questions=found)

    def records(self) -> Iterator[SourceRecord]:
        """One record for each answer; further rows of the same answer are merged into it."""
        key = self._mapping.columns.id
        if key is None:
            for row in self._rows():
                yield self._record([row])
            return
        for _, same in itertools.groupby(self._rows(), key=lambda row: row[key]):
            rows = list(same)
            yield self._record(rows)
            if len(rows) > 1:
                yield SourceRecord(merged="same_answer", n=len(rows) - 1)

    def _rows(self) -> Iterator[Row]:
        columns = self._mapping.columns
        named = (columns.at, columns.item, columns.id, columns.learner, columns.correct, columns.seconds)
        more = (columns.topics, columns.rating, columns.answer)
        required = tuple(name for name in (*named, *more) if name is not None)
        with open_csv(self._path, required, self._mapping.delimiter, self._mapping.encoding) as rows:
            yield from rows

    def _record(self, rows: list[Row]) -> SourceRecord:
        row, columns = rows[0], self._mapping.columns
        at = self._instant(row[columns.at])
        if at is None:
            return SourceRecord(skipped="time_unreadable")
        data = self._data(row)
        if data is None:
            return SourceRecord(skipped="no_grade")
        topics = {f"{self._mapping.topic_prefix}.{_id(name)}" for each in rows for name in self._topic_names(each)}
        source_id = row[columns.id] if columns.id else hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()
        learner = row[columns.learner] if columns.learner else None
        made = event(
            f"csv:{learner or ''}", source_id, self._mapping.type, at, data,
            precision="day" if self._mapping.date_only else "ms", topic_ids=sorted(topics),
        )  # fmt: skip
        return SourceRecord((made,), learner=learner)

    def _data(self, row: Row) -> dict[str, object] | None:
        columns = self._mapping.columns
        seconds = _number(row[columns.seconds]) if columns.seconds else 0.0
        seconds = round(max(0.0, (seconds or 0.0) * self._mapping.seconds_per_unit), 3)
        item = _id(row[columns.item])
        if self._mapping.type == "flashcard_review":
            rating = _number(row[columns.rating or ""])
            if rating not in (1, 2, 3, 4):
                return None
            return {
                "card_id": item,
                "rating": int(rating),
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
        text = text.strip()
        try:
            given = self._mapping.date_format
            at = datetime.strptime(text, given) if given else datetime.fromisoformat(text)  # noqa: DTZ007 (zone below)
        except ValueError:
            return None
        if self._mapping.date_only:
            at = datetime.combine(at.date(), time(12))
        return at if at.tzinfo is not None else at.replace(tzinfo=self._zone)

    def _topic_names(self, row: Row) -> list[str]:
        column = self._mapping.columns.topics
        if column is None or not row[column]:
            return []
        return [name.strip() for name in row[column].split(self._mapping.topic_separator) if name.strip()]


def _id(text: str) -> str:
    """An id that fits; what had to be changed gets a few characters of its hash, so that two never become one."""
    plain = _NOT_ID.sub("_", text.strip())
    if plain == text.strip() and len(plain) <= 60:
        return plain
    return plain[:48] + "." + hashlib.sha256(text.encode()).hexdigest()[:8]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
