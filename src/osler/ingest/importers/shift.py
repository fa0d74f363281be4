"""Moving a whole data set in time by whole weeks, so that old records end on a day of one's choice.

The weekday, the time of day and every gap stay; ids move with their times, so the same shift gives the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from osler.ingest.importers.record import SourceRecord, WireEvent

_LOW_BITS = (1 << 80) - 1


def weeks_to(records: Iterable[SourceRecord], end_on: date) -> timedelta:
    """The whole weeks after which the newest event lies on `end_on` or in the week before it."""
    instants = (_instant(event) for record in records for event in record.events)
    newest = max((instant for instant in instants if instant is not None), default=None)
    if newest is None:
        return timedelta(0)
    return timedelta(weeks=(end_on - newest.date()).days // 7)


def shifted(event: WireEvent, by: timedelta) -> WireEvent:
    """The event, moved; its id carries the new time and the same random part. One without a time stays as it is."""
    at = _instant(event) if by else None
    if at is None:
        return event
    old = UUID(str(event["id"])).int
    moved_ms = (old >> 80) + round(by.total_seconds() * 1000)
    moved_at = (at + by).isoformat(timespec="milliseconds")
    if event["occurred_at"].endswith(("Z", "z")):
        moved_at = moved_at.replace("+00:00", "Z")
    return {**event, "id": str(UUID(int=moved_ms << 80 | old & _LOW_BITS)), "occurred_at": moved_at}


def _instant(event: WireEvent) -> datetime | None:
    """When the event was, by its own words; None where it is malformed, which ingestion will say."""
    try:
        UUID(str(event["id"]))
        at = datetime.fromisoformat(str(event["occurred_at"]))
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo is not None else None
