"""Builds the event that a typed endpoint stands for: the same object that a batch would have brought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from osler.domain.clock_rules import instant_of, us_of
from osler.domain.event_types import EVENT_TYPES
from osler.domain.identity import new_event_id
from osler.ingest.careful import UUID7
from osler.ingest.routes.documents import COMMON_NAMES


def build(body: Mapping[str, Any], event_type: str, fixed: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The event of a typed body: common fields by name, `fixed` from the path, everything else is `data`.

    What the client leaves out is made here: the id, and the time, which is the id's where one was given.
    """
    data = {name: value for name, value in body.items() if name not in COMMON_NAMES}
    event_id, occurred_at = body.get("event_id"), body.get("occurred_at")
    if event_id is None:
        event_id = str(new_event_id(_ms(occurred_at, now)))
    if occurred_at is None:
        occurred_at = _time_of(event_id, now)
    return {
        "id": event_id,
        "type": event_type,
        "schema": EVENT_TYPES[event_type].version,
        "occurred_at": occurred_at,
        "session_id": body.get("session_id"),
        "tz": body.get("tz"),
        "data": {**data, **fixed},
    }


def _ms(occurred_at: Any, now: datetime) -> int:
    """The millisecond for an id that is made here; a time that cannot be read is refused later, with its code."""
    if isinstance(occurred_at, str):
        try:
            stated = datetime.fromisoformat(occurred_at)
        except ValueError:
            return us_of(now) // 1000
        if stated.tzinfo is not None and 2000 <= stated.year <= 2100:
            return us_of(stated) // 1000
    return us_of(now) // 1000


def _time_of(event_id: Any, now: datetime) -> str:
    """A time with `Z`: the learner's own zone decides about the day."""
    at = now
    if isinstance(event_id, str) and UUID7.fullmatch(event_id.lower()):
        ms = int(event_id[:8] + event_id[9:13], 16)
        at = instant_of(ms * 1000) if ms < 4_102_444_800_000 else now
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
