"""What enters the log and what comes of it: an entry ready to be stored, a batch of them, the answer of an append."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import astuple

T = TypeVar("T")
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
class Rows:
    """Many entries as columns, each named after the field of an entry that it holds, all of one length."""

    user_id: Sequence[str] = ()
    event_id: Sequence[str] = ()
    event_type: Sequence[str] = ()
    schema_version: Sequence[int] = ()
    occurred_us: Sequence[int] = ()
    occurred_at_raw: Sequence[str] = ()
    shift_us: Sequence[int] = ()
    utc_offset_minutes: Sequence[int] = ()
    local_day: Sequence[int] = ()
    session_id: Sequence[str | None] = ()
    tz: Sequence[str | None] = ()
    zone_source: Sequence[str] = ()
    time_precision: Sequence[str] = ()
    boot_id: Sequence[str | None] = ()
    monotonic_ms: Sequence[int | None] = ()
    topic_ids: Sequence[list[str] | None] = ()
    is_correct: Sequence[bool | None] = ()
    key_version: Sequence[int | None] = ()
    content_hash: Sequence[bytes] = ()
    data_json: Sequence[str] = ()

    def __len__(self) -> int:
        """How many entries."""
        return len(self.event_id)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Rows:
        """The columns of entries."""
        return cls(*zip(*map(astuple, entries), strict=True))

    def columns(self) -> list[Sequence[Any]]:
        """The columns, in the order of an entry's fields."""
        return [getattr(self, name) for name in Entry.__struct_fields__]

    def entries(self) -> list[Entry]:
        """The same as entries."""
        return list(map(Entry, *self.columns()))

    def at(self, places: Sequence[int]) -> Rows:
        """The rows at these places, in their order."""
        return Rows(*(at(column, places) for column in self.columns()))

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of several, one after the other."""
        return (
            parts[0] if len(parts) == 1 else cls(*map(chained, zip(*(part.columns() for part in parts), strict=True)))
        )


def at(column: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """The values at these places, in their order."""
    return itemgetter(*places)(column) if len(places) > 1 else [column[place] for place in places]


def chained(columns: Iterable[Sequence[T]]) -> list[T]:
    """One column of several."""
    return list(chain.from_iterable(columns))


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are stored in one transaction, with what they share.

    `catalog_version` is the version the grades were made with; the append refuses when it has moved on. `create`
    names learners who are seen for the first time and may be made. `homes` is what was known of the others, as
    the append writes it itself; it refuses when it is not so any more.
    """

    rows: Rows
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

    def is_new(self, key: Key) -> bool:
        """Whether this append stored the event."""
        return self.new is None or key in self.new
