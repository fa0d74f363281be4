"""An import from its first record to its report: entries of the catalogue, then events in chunks, then outcomes.

It can be stopped at any point and run again: what was committed answers `duplicate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql as pg

from osler.analytics.readiness.tables import exam_outcomes
from osler.catalog import items
from osler.catalog.writes import ensure_user
from osler.db.engine import Database, WriteSession
from osler.domain.outcomes import Status
from osler.errors import Unavailable
from osler.eventlog import marks
from osler.ingest.importers.record import Entries, Source, SourceRecord, WireEvent
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.shift import shifted, weeks_to
from osler.ingest.intake import CHUNK, ingest_events
from osler.ingest.work import Outcome
from osler.observe.keys import mac, secret_key

TRIES = 4
Progress = Callable[[int], None]


@dataclass(slots=True)
class Importing:
    """Where an import writes. `owner` is the learner of records that name nobody."""

    db: Database
    owner: UUID
    shift_to: date | None = None
    progress: Progress = lambda _: None
    _known: dict[str, UUID] = field(default_factory=dict[str, UUID])

    def learner_of(self, source: str, name: str | None) -> UUID:
        """A pseudonym: the owner, a UUID as it stands, or the keyed hash of the source's name for the person."""
        if name is None:
            return self.owner
        found = self._known.get(name)
        if found is None:
            found = _as_uuid(name) or UUID(bytes=mac(self._key(), "import", source, name)[:16], version=4)
            self._known[name] = found
        return found

    @property
    def learners(self) -> list[UUID]:
        """Everybody whom the import has written for, besides the owner."""
        return sorted(set(self._known.values()))

    def _key(self) -> bytes:
        return secret_key(self.db.settings.home, "identities")


@dataclass(slots=True)
class _Chunk:
    events: list[WireEvent] = field(default_factory=list[WireEvent])
    spans: list[tuple[SourceRecord, int]] = field(default_factory=list[tuple[SourceRecord, int]])
    outcomes: list[tuple[UUID, SourceRecord]] = field(default_factory=list[tuple[UUID, SourceRecord]])
    read: int = 0


async def run_import(importing: Importing, source: Source) -> ImportReport:
    """Import a source.

    Errors: Unavailable when the database stays away; what was committed stays, and a second run goes on from there.
    """
    report = ImportReport(source.name, notes=source.notes)
    entries = source.entries()
    async with importing.db.write() as session:
        await _write_entries(session, entries, source.name, importing.owner)
    by = weeks_to(source.records(), importing.shift_to) if importing.shift_to else timedelta(0)
    report.shifted_days = by.days
    for chunk in _chunks(source, importing, report, by):
        await _take(importing, chunk, report)
        importing.progress(chunk.read)
    report.learners = len(importing.learners) or 1
    return report


def _chunks(source: Source, importing: Importing, report: ImportReport, by: timedelta) -> Iterator[_Chunk]:
    chunk = _Chunk()
    for record in source.records():
        chunk.read += record.n
        report.read += record.n
        _place(chunk, record, importing, report, by=by)
        if len(chunk.events) >= CHUNK or len(chunk.outcomes) >= CHUNK:
            yield chunk
            chunk = _Chunk()
    yield chunk


def _place(chunk: _Chunk, record: SourceRecord, importing: Importing, report: ImportReport, *, by: timedelta) -> None:
    if record.skipped is not None:
        report.skipped[record.skipped] += record.n
    elif record.merged is not None:
        report.merged[record.merged] += record.n
    elif record.stored is not None:
        chunk.outcomes.append((importing.learner_of(report.source, record.learner), record))
    else:
        user_id = str(importing.learner_of(report.source, record.learner))
        chunk.events += [{**shifted(event, by), "user_id": user_id} for event in record.events]
        chunk.spans.append((record, len(record.events)))
        report.events += len(record.events)


async def _take(importing: Importing, chunk: _Chunk, report: ImportReport) -> None:
    answers = await _ingest(importing.db, chunk.events)
    at = 0
    for record, length in chunk.spans:
        report.settle(answers[at : at + length], record.n)
        at += length
    if chunk.outcomes:
        async with importing.db.write() as session:
            await _write_outcomes(session, chunk.outcomes, report)


async def _ingest(db: Database, events: list[WireEvent]) -> list[Outcome]:
    """An answer for each event, in order; those that were told to try again are tried again."""
    answers: list[Outcome | None] = [None] * len(events)
    waiting = list(range(len(events)))
    for attempt in range(TRIES):
        result = await ingest_events(db, [events[at] for at in waiting], None)
        for at, answer in zip(waiting, result.outcomes, strict=True):
            answers[at] = answer
        waiting = [at for at in waiting if (found := answers[at]) is not None and found.status is Status.RETRY]
        if not waiting:
            return [answer for answer in answers if answer is not None]
        await asyncio.sleep(0.2 * 2**attempt)
    raise Unavailable(
        f"the database would not take {len(waiting)} events; run the import again, it goes on where it stopped"
    )


async def _write_entries(session: WriteSession, entries: Entries, source: str, owner: UUID) -> None:
    new = await items.add_topics(session, entries.topics, source=source)
    new += await items.add_questions(session, entries.questions, source=source)
    found = {material: (kind, topics, None) for material, (kind, topics) in entries.materials.items()}
    new += await items.add_materials(session, found)
    new += await items.add_exams(session, entries.exams, source=source)
    if entries.cards:
        await ensure_user(session, owner)
        moved = await items.map_cards(session, owner, entries.cards, mapped_by=entries.cards_mapped_by)
        await marks.mark_cards(session, owner, moved)
        new += len(moved)
    if new:
        await items.note_change(session, f"import {source}")


async def _write_outcomes(session: WriteSession, found: list[tuple[UUID, SourceRecord]], report: ImportReport) -> None:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for user_id, record in found:
        outcome = record.stored
        if outcome is None:
            continue
        row = {
            "user_id": user_id,
            "exam_id": outcome.exam_id,
            "exam_on": outcome.on,
            "score": outcome.score,
            "passed": outcome.passed,
            "source": "import",
        }
        rows.setdefault((user_id, outcome.exam_id, outcome.on), row)
    for user_id in {row["user_id"] for row in rows.values()}:
        await ensure_user(session, user_id)
    insert = pg.insert(exam_outcomes).values(list(rows.values())).on_conflict_do_nothing()
    stored = len(await session.tuples(insert.returning(exam_outcomes.c.user_id)))
    report.accepted += stored
    report.outcomes += stored
    report.duplicate += len(found) - stored


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
