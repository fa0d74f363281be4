"""A stored event as its client sent it, with what the server concluded beside it: what an export holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.db.engine import ReadSession
from osler.domain.events import Cursor

_SELECT = """
select e.event_id, e.event_ts, e.event_type, e.schema_version, e.occurred_at_raw, e.tz, e.session_id, e.boot_id,
       e.monotonic_ms, e.topic_ids, e.time_precision, e.data::text as data, e.sent_at, e.received_at, e.clock_skew_ms,
       e.device_id, e.effective_at, e.utc_offset_minutes, e.local_date, e.zone_source, e.is_correct, e.key_version
  from study_events e
 where e.user_id = $1 and e.event_ts >= $2 and (e.event_ts, e.event_id) > ($2, $3)
 order by e.event_ts, e.event_id
 limit $4
"""
_BEGINNING = Cursor(datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
_OPTIONAL = ("tz", "session_id", "boot_id", "monotonic_ms", "topic_ids")
_STORED = (
    "sent_at", "received_at", "clock_skew_ms", "device_id", "effective_at", "utc_offset_minutes", "local_date",
    "zone_source", "is_correct", "key_version",
)  # fmt: skip


async def wire_after(
    s: ReadSession, user_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """The next `limit` events of a learner in the wire's form, and where to go on; no cursor at the end.

    Sent again, an event answers `duplicate`: nothing that its content hash covers is changed or left out.
    """
    after = cursor or _BEGINNING
    rows: Any = await s.driver().fetch(_SELECT, user_id, after.event_ts, after.event_id, limit)
    ended = len(rows) < limit
    return [_wire(row) for row in rows], None if ended else Cursor(rows[-1]["event_ts"], rows[-1]["event_id"])


def _wire(row: Any) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": str(row["event_id"]),
        "type": row["event_type"],
        "schema": row["schema_version"],
        "occurred_at": row["occurred_at_raw"],
        "data": msgspec.Raw(row["data"].encode()),
    }
    wire |= {name: row[name] for name in _OPTIONAL if row[name] is not None}
    if row["time_precision"] != "ms":
        wire["time_precision"] = row["time_precision"]
    wire["stored"] = {name: row[name] for name in _STORED}
    return wire
