"""What enters the log and what comes of it: an entry ready to be stored, a batch of them, the answer of an append."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import msgspec

DAY_ZERO = date(2000, 1, 1)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event as it will be stored. Ids are canonical lower-case texts; times are microseconds since 1970.

    `shift_us` is what `effective_at` differs from `occurred_at`; `local_day` counts days since 2000-01-01;
    `data_json` is canonical JSON; the typed tables are filled from it.
    """

    user_id: str
    event_id: str
    event_type: str
    schema_version: int
    occurred_us: int
    occurred_at_raw: str
    shift_us: int
    utc_offset_minutes: int
    local_day: int
    session_id: str | None
    tz: str | None
    zone_source: str
    time_precision: str
    boot_id: str | None
    monotonic_ms: int | None
    topic_ids: list[str] | None
    is_correct: bool | None
    key_version: int | None
    content_hash: bytes
    data_json: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that are stored in one transaction, with what they share.

    `catalog_version` is the version the grades were made with; the append refuses when it has moved on. `create`
    names learners who are seen for the first time and may be made. `homes` is what was known of the others, as
    the append writes it itself; it refuses when it is not so any more.
    """

    entries: Sequence[Entry]
    received_at: datetime
    sent_at: datetime | None = None
    clock_skew_ms: int | None = None
    device_id: str | None = None
    catalog_version: int | None = None
    create: Sequence[UUID] = ()
    homes: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])


Key = tuple[str, str]
"""(user_id, event_id) as canonical texts: the identity of an event."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did. `new` is None when every entry was new."""

    new: frozenset[Key] | None
    erased: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    without_wellbeing: frozenset[str] = frozenset()
    stored_hashes: dict[Key, bytes] = field(default_factory=dict[Key, bytes])

    def is_new(self, entry: Entry) -> bool:
        """Whether this append stored the entry."""
        return self.new is None or (entry.user_id, entry.event_id) in self.new
