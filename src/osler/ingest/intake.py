"""The way in for importers, the simulator and our own services: the same checks and the same append, without HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from osler.db.engine import Database
from osler.domain.outcomes import Status
from osler.errors import Unavailable
from osler.eventlog.collector import collector_at_rest
from osler.ingest import careful, quick
from osler.ingest.columns import Columns
from osler.ingest.concluded import Concluded
from osler.ingest.decoding import Read, read_carefully
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.wire import WireEvent, plain, quick_events
from osler.ingest.work import Outcome, Sender

CHUNK = 5_000
AT_ONCE = 3
"""Chunks under way: one is concluded while two are stored, so that neither side waits for the other."""
_ANY = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class BatchResult:
    """What became of events that were handed in: `counts` by status, `codes` by code, an outcome for each."""

    counts: dict[str, int] = field(default_factory=lambda: {status.value: 0 for status in Status})
    codes: Counter[str] = field(default_factory=Counter[str])
    warnings: Counter[str] = field(default_factory=Counter[str])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def add(self, taken: Taken, *, keep_outcomes: bool) -> None:
        """Add the answer to one chunk."""
        for status, count in taken.counts().items():
            self.counts[status] += count
        self.codes.update([each.code.value for each in taken.outcomes if each.code is not None])
        warned = Counter([tuple(each.warnings) for each in taken.outcomes if each.warnings])
        for warnings, count in warned.items():
            self.warnings.update({warning.value: count for warning in warnings})
        if keep_outcomes:
            self.outcomes += taken.outcomes


async def ingest_events(
    db: Database,
    events: Iterable[Mapping[str, Any]],
    user_id: UUID | None,
    *,
    import_window: bool = True,
    is_server: bool = False,
    keep_outcomes: bool = True,
    concluded: Mapping[str, Concluded] | None = None,
) -> BatchResult:
    """Take events in the wire's form (dicts) in chunks of 5,000, each one transaction.

    With `user_id` None each event names its learner. `import_window` opens twenty years, makes the months that are
    missing and marks the zone as given by an import; fields reserved for services are allowed either way.
    `concluded` is what an export says beside its events, by event id: those conclusions are stored again.
    Indices of outcomes count within their chunk.

    Chunks without an id in common are stored side by side. Errors: Unavailable when the database is away; what was
    committed stays, and a second run answers `duplicate` for it.
    """
    sender = Sender(
        user_id=user_id,
        is_service=True,
        is_server=is_server,
        may_create=True,
        is_import=import_window,
        is_limited=False,
        concluded=concluded or {},
    )
    result = BatchResult()
    with collector_at_rest():
        async for taken in _taken(db, _chunks(events), sender):
            result.add(taken, keep_outcomes=keep_outcomes)
    return result


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A chunk that is being concluded or stored, and the ids in it."""

    task: asyncio.Task[Taken]
    ids: set[str]


async def _taken(db: Database, chunks: Iterable[list[Mapping[str, Any]]], sender: Sender) -> AsyncGenerator[Taken]:
    """The answer to each chunk, in order; one is read and concluded while those before it are being stored."""
    ingestion, most = ingestion_of(db), min(AT_ONCE, db.settings.ingest_pool_size)
    under_way: deque[_UnderWay] = deque()
    try:
        for chunk in chunks:
            reads = read_values(chunk)
            ids = {read.id if isinstance(read, WireEvent) else str(read.event_id) for read in reads}
            turn = _Turn([each.task for each in under_way if not ids.isdisjoint(each.ids)])
            task = asyncio.create_task(ingestion.take(reads, None, sender, turn=turn.come))
            under_way.append(_UnderWay(task, ids))
            await asyncio.wait({task, turn.has_come}, return_when=asyncio.FIRST_COMPLETED)
            while len(under_way) >= most:
                yield await under_way.popleft().task
        while under_way:
            yield await under_way.popleft().task
    finally:
        for each in under_way:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in under_way), return_exceptions=True)


class _Turn:
    """Has a chunk wait for those before it that hold one of its ids: the first of two events with one id counts."""

    def __init__(self, before: Sequence[asyncio.Task[Taken]]) -> None:
        self._before = before
        self.has_come: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def come(self) -> None:
        """Wait for the turn. Errors: Unavailable when a chunk before was not stored."""
        if not self.has_come.done():
            self.has_come.set_result(None)
        if self._before:
            await asyncio.wait(self._before)
            if any(task.cancelled() or task.exception() is not None for task in self._before):
                raise Unavailable("the events before these were not stored; try again", code="ingest.earlier")


def _chunks(events: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    left = iter(events)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def read_values(events: _ANY) -> list[Read]:
    """Events from Python values, the quick way for all that allow it."""
    body = plain.encode(events)
    try:
        found: list[WireEvent] = quick_events.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return [_read_value(event) for event in events]
    if quick.is_plain(body) and quick.fits(Columns(found)):
        return list(found)
    odd = set(quick.odd_ones(found))
    return [_read_value(events[n]) if n in odd else event for n, event in enumerate(found)]


def _read_value(event: Mapping[str, Any]) -> Read:
    raw = plain.encode(event)
    try:
        read = quick_events.decode(b"[" + raw + b"]")
        if quick.is_plain(raw) and len(raw) <= careful.MAX_EVENT_BYTES and quick.fits(Columns(read)):
            return read[0]
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    return read_carefully(raw)
