"""An import from its first record to its report: entries of the catalogue, then events in chunks, then outcomes.

It can be stopped at any point and run again: what was committed answers `duplicate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from osler.catalog.carried import Carried, has_refusals, refuse_again
from osler.db.engine import Database
from osler.domain.outcomes import Status
from osler.errors import Unavailable
from osler.eventlog.tombstones import KEY_NAME
from osler.ingest.concluded import Concluded, read_concluded
from osler.ingest.importers.jsonl import JsonlSource
from osler.ingest.importers.record import Source, SourceRecord, WireEvent
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.shift import shifted, weeks_to
from osler.ingest.importers.writing import OWN_FACTS, write_cards, write_carried, write_entries, write_outcomes
from osler.ingest.intake import CHUNK, ingest_events
from osler.ingest.work import Outcome
from osler.observe.keys import mac, secret_key

TRIES = 4
Progress = Callable[[int], None]


@dataclass(slots=True)
class Importing:
    """Where an import writes. `owner` is the learner of records that name nobody; `refusals` are stated at the end."""

    db: Database
    owner: UUID
    shift_to: date | None = None
    progress: Progress = lambda _: None
    refusals: list[Carried] = field(default_factory=list[Carried])
    _known: dict[str, UUID] = field(default_factory=dict[str, UUID])

    def learner_of(self, source: str, name: str | None) -> UUID:
        """A pseudonym: the owner, or the keyed hash of the source's name for the person.

        Only our own form names learners by pseudonym already; anybody else's UUID is a name like any other.
        """
        if name is None:
            return self.owner
        found = self._known.get(name)
        if found is None:
            own = _as_uuid(name) if source == JsonlSource.name else None
            found = own or UUID(bytes=mac(self._key(), "import", source, name)[:16], version=4)
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
    concluded: dict[str, Concluded] = field(default_factory=dict[str, Concluded])
    carried: list[Carried] = field(default_factory=list[Carried])
    read: int = 0


async def run_import(importing: Importing, source: Source) -> ImportReport:
    """Import a source.

    Errors: Unavailable when the database stays away; what was committed stays, and a second run goes on from there.
    """
    report = ImportReport(source.name, notes=source.notes)
    entries = source.entries()
    async with importing.db.write() as session:
        await write_entries(session, entries, source=source.name)
    async with importing.db.write() as session:
        await write_cards(session, entries, source=source.name, owner=importing.owner, notes=report.notes)
    by = weeks_to(source.records(), importing.shift_to) if importing.shift_to else timedelta(0)
    report.shifted_days = by.days
    for chunk in _chunks(source, importing, report, by):
        await _take(importing, chunk, report, by)
        importing.progress(chunk.read)
    async with importing.db.write() as session:
        await refuse_again(session, importing.refusals)
    report.learners = len(importing.learners) or 1
    return report


def _chunks(source: Source, importing: Importing, report: ImportReport, by: timedelta) -> Iterator[_Chunk]:
    chunk = _Chunk()
    for record in source.records():
        chunk.read += record.n
        report.read += record.n
        _place(chunk, record, importing, report, by=by)
        if max(len(chunk.events), len(chunk.outcomes), len(chunk.carried)) >= CHUNK:
            yield chunk
            chunk = _Chunk()
    yield chunk


def _place(chunk: _Chunk, record: SourceRecord, importing: Importing, report: ImportReport, *, by: timedelta) -> None:
    if record.skipped is not None:
        report.skipped[record.skipped] += record.n
    elif record.merged is not None:
        report.merged[record.merged] += record.n
        if record.carried is not None:
            chunk.carried.append(_carried(record, importing, report))
    elif record.stored is not None:
        chunk.outcomes.append((importing.learner_of(report.source, record.learner), record))
    else:
        user_id = str(importing.learner_of(report.source, record.learner))
        chunk.events += [{**shifted(event, by), "user_id": user_id} for event in record.events]
        if record.concluded is not None and not by and (found := read_concluded(record.concluded)) is not None:
            chunk.concluded |= {str(event.get("id")): found for event in record.events}
        chunk.spans.append((record, len(record.events)))
        report.events += len(record.events)


def _carried(record: SourceRecord, importing: Importing, report: ImportReport) -> Carried:
    table, row = record.carried or ("", {})
    user_id = importing.learner_of(report.source, record.learner) if record.merged == OWN_FACTS else None
    return Carried(table, user_id, row)


async def _take(importing: Importing, chunk: _Chunk, report: ImportReport, by: timedelta) -> None:
    if chunk.carried:
        importing.refusals += [each for each in chunk.carried if has_refusals(each)]
        async with importing.db.write() as session:
            await write_carried(session, chunk.carried, report, secret_key(importing.db.settings.home, KEY_NAME))
    answers = await _ingest(importing.db, chunk.events, chunk.concluded)
    at = 0
    for record, length in chunk.spans:
        report.settle(answers[at : at + length], record.n)
        at += length
    if chunk.outcomes:
        key = secret_key(importing.db.settings.home, KEY_NAME)
        async with importing.db.write() as session:
            await write_outcomes(session, chunk.outcomes, report, key=key, by=by)


async def _ingest(db: Database, events: list[WireEvent], concluded: Mapping[str, Concluded]) -> list[Outcome]:
    """An answer for each event, in order; those that were told to try again are tried again."""
    answers: list[Outcome | None] = [None] * len(events)
    waiting = list(range(len(events)))
    for attempt in range(TRIES):
        result = await ingest_events(
            db, [events[at] for at in waiting], None, is_server=bool(concluded), concluded=concluded
        )
        for at, answer in zip(waiting, result.outcomes, strict=True):
            answers[at] = answer
        waiting = [at for at in waiting if (found := answers[at]) is not None and found.status is Status.RETRY]
        if not waiting:
            return [answer for answer in answers if answer is not None]
        await asyncio.sleep(0.2 * 2**attempt)
    raise Unavailable(
        f"the database would not take {len(waiting)} events; run the import again, it goes on where it stopped"
    )


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
