"""Reads the log of one learner in fold order, as values; older schema versions are read as the newest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.db.engine import ReadSession
from osler.domain.events import Cursor, LoggedEvent

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(type, version) → turns `data` of that version into that of the next. Empty while every type is at its first."""

_SELECT = """
select e.user_id, e.event_id, e.event_ts, e.event_type, e.effective_at, e.utc_offset_minutes, e.local_date,
       e.session_id::text as session_id, e.device_id, e.time_precision, e.received_at,
       e.data::text as data, e.topic_ids, e.is_correct, e.key_version, e.schema_version
  from study_events e
 where e.user_id = $1 and e.event_ts >= $2 and (e.event_ts, e.event_id) > ($2, $3) and e.event_ts <= $4
 order by e.event_ts, e.event_id
"""
_BEGINNING = Cursor(datetime.fromisoformat("2000-01-01T00:00:00+00:00"), UUID(int=0))
_END = datetime.fromisoformat("2101-01-01T00:00:00+00:00")


async def read_after(
    s: ReadSession, user_id: UUID, cursor: Cursor | None, until: datetime | None = None, *, limit: int | None = None
) -> list[LoggedEvent]:
    """A learner's events after the cursor, up to and with `until` (event time), in fold order."""
    after = cursor or _BEGINNING
    query = f"{_SELECT} limit {int(limit)}" if limit is not None else _SELECT
    rows: Any = await s.driver().fetch(query, user_id, after.event_ts, after.event_id, until or _END)
    return [logged(row) for row in rows]


async def replay(
    s: ReadSession, user_id: UUID, cursor: Cursor | None = None, *, chunk: int = 20_000
) -> AsyncIterator[list[LoggedEvent]]:
    """The same in chunks, for histories that should not lie in memory at once."""
    while events := await read_after(s, user_id, cursor, limit=chunk):
        yield events
        cursor = Cursor(events[-1].event_ts, events[-1].event_id)


def upcast(
    event_type: str, version: int, data: dict[str, Any], upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
) -> dict[str, Any]:
    """`data` of an older schema version as the newest version has it."""
    while step := upcasters.get((event_type, version)):
        data, version = step(data), version + 1
    return data


def logged(row: Sequence[Any]) -> LoggedEvent:
    """A stored row, its columns in the order of the query, as the value that folds see."""
    user_id, event_id, event_ts, event_type, effective_at, offset, local_date, *more, version = row
    session_id, device_id, precision, received_at, data, topic_ids, is_correct, key_version = more
    said: dict[str, Any] = msgspec.json.decode(data)
    if UPCASTERS:
        said = upcast(event_type, version, said)
    topics = tuple(topic_ids) if topic_ids else ()
    return LoggedEvent(
        user_id, event_id, event_ts, event_type, effective_at, offset, local_date, session_id, device_id, precision,
        received_at, said, topics, is_correct, key_version,
    )  # fmt: skip
