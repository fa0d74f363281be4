"""What another Osler concluded of an event, taken over when its export is imported, so that the figures stay equal.

What the server concludes (corrected time, offset, study day, grade) may rest on what an export does not hold: the
clock of that day, the learner's zone then, the version of a key. Only conclusions that could be ours are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from osler.domain.clock_rules import OFFSET_MAX_MINUTES, OFFSET_MIN_MINUTES, SKEW_LIMIT_US, us_of
from osler.eventlog.entries import DAY_ZERO, Entry, Rows

MOST_DAYS_APART = 2
ZONE_SOURCES = frozenset({"offset", "tz", "learner", "import"})


class Concluded(msgspec.Struct, frozen=True):
    """The part of an export's `stored` that an event is stored with again."""

    effective_at: datetime
    utc_offset_minutes: int
    local_date: date
    zone_source: str
    is_correct: bool | None = None
    key_version: int | None = None


def read_concluded(stored: Mapping[str, Any]) -> Concluded | None:
    """The conclusions of an export's line, None when they are none."""
    try:
        return msgspec.convert(stored, Concluded)
    except msgspec.ValidationError:
        return None


def as_concluded(entry: Entry, found: Concluded) -> Entry:
    """The entry with the conclusions of its export, or as it is when those cannot be."""
    if found.effective_at.tzinfo is None:
        return entry
    shift_us = us_of(found.effective_at) - entry.occurred_us
    day = (found.local_date - DAY_ZERO).days
    at_home = (entry.occurred_us + shift_us) // 86_400_000_000 - _EPOCH_TO_ZERO
    can_be = (
        abs(shift_us) <= SKEW_LIMIT_US
        and OFFSET_MIN_MINUTES <= found.utc_offset_minutes <= OFFSET_MAX_MINUTES
        and abs(day - at_home) <= MOST_DAYS_APART
        and found.zone_source in ZONE_SOURCES
    )
    if not can_be:
        return entry
    return msgspec.structs.replace(
        entry,
        shift_us=shift_us,
        utc_offset_minutes=found.utc_offset_minutes,
        local_day=day,
        zone_source=found.zone_source,
        is_correct=found.is_correct,
        key_version=found.key_version,
    )


def rows_as_concluded(rows: Rows, found: Mapping[str, Concluded]) -> Rows:
    """The rows with the conclusions of their export, by event id, where there are any."""
    if not found:
        return rows
    of_each = [(entry, found.get(entry.event_id)) for entry in rows.entries()]
    return Rows.of([entry if each is None else as_concluded(entry, each) for entry, each in of_each])


_EPOCH_TO_ZERO = (DAY_ZERO - date(1970, 1, 1)).days
