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
    newest = max((event["occurred_at"] for record in records for event in record.events), default=None, key=_instant)
    if newest is None:
        return timedelta(0)
    return timedelta(weeks=(end_on - _instant(newest).date()).days // 7)


def shifted(event: WireEvent, by: timedelta) -> WireEvent:
    """The event, moved; its id carries the new time and the same random part."""
    if not by:
        return event
    old = UUID(str(event["id"])).int
    moved_ms = (old >> 80) + round(by.total_seconds() * 1000)
    moved_at = (_instant(event["occurred_at"]) + by).isoformat(timespec="milliseconds")
    return {**event, "id": str(UUID(int=moved_ms << 80 | old & _LOW_BITS)), "occurred_at": moved_at}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
