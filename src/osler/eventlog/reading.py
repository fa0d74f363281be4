"""Reads the log of one learner in fold order, as values; older schema versions are read as the newest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.db.engine import ReadSession
from osler.domain.events import Cursor, LoggedEvent

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(type, version) → turns `data` of that version into that of the next. Empty while every type is at its first."""

# Fields of `LoggedEvent` in their order, so that the driver gives one text and the decoder makes the values at once:
# half of what a row for each event costs.
AS_JSON = """
json_build_array(e.user_id, e.event_id, e.event_ts, e.event_type, e.effective_at, e.utc_offset_minutes, e.local_date,
       e.session_id, e.device_id, e.time_precision, e.received_at, e.data, coalesce(e.topic_ids, '{}'), e.is_correct,
       e.key_version, e.schema_version)
"""
_SELECT = f"""
select coalesce(json_agg({AS_JSON} order by e.event_ts, e.event_id), '[]')::text
  from (select * from study_events
         where user_id = $1 and event_ts >= $2 and (event_ts, event_id) > ($2, $3) and event_ts <= $4
           and ($5::text[] is null or event_type = any($5))
         order by event_ts, event_id limit $6) e
"""
_REACHED = """
select count(*) over () as n, event_ts, event_id, utc_offset_minutes from study_events
 where user_id = $1 and event_ts >= $2 and (event_ts, event_id) > ($2, $3) and event_ts <= $4
 order by event_ts desc, event_id desc limit 1
"""
_BEGINNING = Cursor(datetime.fromisoformat("2000-01-01T00:00:00+00:00"), UUID(int=0))
END = datetime.fromisoformat("2101-01-01T00:00:00+00:00")
"""An instant after every event."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest event of a stretch of log, of whatever type; the offset puts its instant on the wall clock."""

    cursor: Cursor
    utc_offset_minutes: int


async def read_after(
    s: ReadSession,
    user_id: UUID,
    cursor: Cursor | None,
    until: datetime | None = None,
    *,
    types: Collection[str] | None = None,
    limit: int | None = None,
) -> list[LoggedEvent]:
    """A learner's events after the cursor, up to and with `until` (event time), in fold order; of `types` if given."""
    after = cursor or _BEGINNING
    only = None if types is None else sorted(types)
    text: Any = await s.driver().fetchval(_SELECT, user_id, after.event_ts, after.event_id, until or END, only, limit)
    return decoded(text)


async def reached(
    s: ReadSession, user_id: UUID, cursor: Cursor | None, until: datetime | None = None
) -> tuple[int, Reached | None]:
    """How many events a learner has after the cursor, up to and with `until`, and the newest of them."""
    after = cursor or _BEGINNING
    row: Any = await s.driver().fetchrow(_REACHED, user_id, after.event_ts, after.event_id, until or END)
    if row is None:
        return 0, None
    return row["n"], Reached(Cursor(row["event_ts"], row["event_id"]), row["utc_offset_minutes"])


async def replay(
    s: ReadSession, user_id: UUID, cursor: Cursor | None = None, *, chunk: int = 20_000
) -> AsyncIterator[list[LoggedEvent]]:
    """The same in chunks, for histories that should not lie in memory at once."""
    while events := await read_after(s, user_id, cursor, limit=chunk):
        yield events
        cursor = Cursor(events[-1].event_ts, events[-1].event_id)


def decoded(text: str) -> list[LoggedEvent]:
    """Events from the JSON array of `AS_JSON` arrays, older schema versions as the newest has them."""
    if not UPCASTERS:
        return _decoder.decode(text)
    rows: list[list[Any]] = msgspec.json.decode(text)
    for row in rows:
        row[_DATA] = upcast(row[_TYPE], row[-1], row[_DATA])
    return msgspec.convert(rows, list[LoggedEvent])


_decoder = msgspec.json.Decoder(list[LoggedEvent])
_TYPE, _DATA = (LoggedEvent.__struct_fields__.index(name) for name in ("event_type", "data"))


def upcast(
    event_type: str, version: int, data: dict[str, Any], upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
) -> dict[str, Any]:
    """`data` of an older schema version as the newest version has it."""
    while step := upcasters.get((event_type, version)):
        data, version = step(data), version + 1
    return data
