"""The quick way: a whole batch as one typed decode, then its texts checked by the column.

It says which events it vouches for and which are odd; an odd one goes the careful way, alone. It never decides why
an event is wrong, so it may be as strict as it likes, but must not let through what the careful way refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import numpy as np
from msgspec import inspect as mi

from osler.domain.event_fields import ID_PATTERN, KEY_PATTERN, ROUTE_PATTERN, UUID_PATTERN
from osler.domain.event_types import EVENT_TYPES, EventType
from osler.ingest.instants import are_uuid7
from osler.ingest.wire import WIRE_TYPES, WireEvent

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ID_BYTES = _LETTERS + b"_.:-\n"
_KEY_BYTES = _LETTERS + b"\n"
_ROUTE_BYTES = _LETTERS + b"_{}/.:-\n"
_ZONE_BYTES = _LETTERS + b"_+-/\n"
_HEX_BYTES = b"0123456789abcdef-\n"
_QUOTE = ord('"')


class Fits:
    """What has to be checked in the columns of one event type, read off its declaration."""

    def __init__(self, kind: EventType) -> None:
        self.kind = kind
        self.ids: list[Any] = []
        self.keys: list[Any] = []
        self.uuids: list[Any] = []
        self.routes: list[Any] = []
        self.numbers: list[tuple[Any, bool]] = []
        declared = mi.type_info(kind.data)
        assert isinstance(declared, mi.StructType)  # noqa: S101 (every data class is a struct)
        for field in declared.fields:
            self._place(field.name, field.type)

    def _place(self, name: str, kind: mi.Type) -> None:
        if isinstance(kind, mi.UnionType):
            kind = next(each for each in kind.types if not isinstance(each, mi.NoneType))
        inner = kind
        while isinstance(inner, (mi.Metadata, mi.ListType)):
            inner = inner.type if isinstance(inner, mi.Metadata) else inner.item_type
        if isinstance(inner, mi.StrType):
            places = {
                ID_PATTERN: self.ids,
                KEY_PATTERN: self.keys,
                UUID_PATTERN: self.uuids,
                ROUTE_PATTERN: self.routes,
            }
            places[inner.pattern or ""].append(attrgetter(name))
        elif isinstance(inner, mi.FloatType) and isinstance(kind, mi.Metadata):
            extra = cast("dict[str, Any]", getattr(kind, "extra_json_schema", None) or {})
            self.numbers.append((attrgetter(name), "multipleOf" in extra))


_FITS = {WIRE_TYPES[name]: Fits(kind) for name, kind in EVENT_TYPES.items()}


def fits(events: Sequence[WireEvent]) -> bool:
    """Whether every text and number of these events has the form its declaration asks for."""
    by_type = {kind: [event.data for event in members] for kind, members in by_class(events).items()}
    ids: list[str] = []
    keys: list[str] = []
    uuids: list[str] = []
    routes: list[str] = []
    for kind, data in by_type.items():
        plan = _FITS[kind]
        if not _numbers_fit(plan, data) or not _fields_go_together(plan.kind, data):
            return False
        ids += _texts(plan.ids, data)
        uuids += _texts(plan.uuids, data)
        routes += _texts(plan.routes, data)
        for get in plan.keys:
            keys += chain.from_iterable(map(get, data))
    return (
        _all_of(ids, _ID_BYTES, 64)
        and _all_of(keys, _KEY_BYTES, 8)
        and _common_fits(events)
        and (not uuids or _uuids_fit(uuids))
        and _all_of(routes, _ROUTE_BYTES, 201)
        and all(route[0] == "/" or route == "unmatched" for route in routes)
    )


def by_class(events: Sequence[WireEvent]) -> dict[type[WireEvent], Sequence[WireEvent]]:
    """Events of one type each; nearly always there is one type alone."""
    classes = set(map(type, events))
    if len(classes) == 1:
        return {classes.pop(): events}
    return {each: [event for event in events if event.__class__ is each] for each in classes}


def _present(get: Any, data: list[Any]) -> list[Any]:
    """The values of a field over many events, absent ones left out."""
    values: list[Any] = list(map(get, data))
    absent = values.count(None)
    if absent == len(values):
        return []
    return [value for value in values if value is not None] if absent else values


def _texts(getters: Iterable[Any], data: list[Any]) -> list[str]:
    return [text for get in getters for text in _present(get, data)]


def _numbers_fit(plan: Fits, data: list[Any]) -> bool:
    """Whether none is −0, which is stored as 0, and each has three decimals at most where no more are allowed.

    Thousandths divided again are the number that a text with three decimals reads as.
    """
    for get, has_steps in plan.numbers:
        values = np.array(_present(get, data), dtype=np.float64)
        if np.signbit(values).any() or (has_steps and (np.rint(values * 1000) / 1000 != values).any()):
            return False
    return True


def _fields_go_together(kind: EventType, data: list[Any]) -> bool:
    if kind.one_of and _given(kind.one_of, data) != {1}:
        return False
    return not kind.at_most_one or _given(kind.at_most_one, data) <= {0, 1}


def _given(names: tuple[str, ...], data: list[Any]) -> set[int]:
    """How many of some fields an event has: every number that occurs."""
    columns: list[list[Any]] = [list(map(attrgetter(name), data)) for name in names]
    if all(None not in column or column.count(None) == len(column) for column in columns):
        return {sum(None not in column for column in columns)}
    return {len(names) - row.count(None) for row in zip(*columns, strict=True)}


def _all_of(texts: Collection[str], allowed: bytes, longest: int) -> bool:
    """Whether every text holds allowed bytes alone and has 1 to `longest` of them."""
    if not texts:
        return True
    lengths = set(map(len, texts))
    return 0 not in lengths and max(lengths) <= longest and not "\n".join(texts).encode().translate(None, allowed)


def _common_fits(events: Sequence[WireEvent]) -> bool:
    topics = [topic for event in events if event.topic_ids is not None for topic in event.topic_ids]
    zones = {event.tz for event in events if event.tz is not None}
    return (
        are_uuid7([event.id for event in events])
        and _uuids_fit({event.session_id for event in events} | {event.boot_id for event in events})
        and _all_of(topics, _ID_BYTES, 64)
        and _all_of(zones, _ZONE_BYTES, 64)
    )


def _uuids_fit(texts: Iterable[str | None]) -> bool:
    """Canonical UUIDs in lower case; the careful way lowers the others."""
    return all(
        len(text) == 36
        and text[8] == text[13] == text[18] == text[23] == "-"
        and text.count("-") == 4
        and not text.encode().translate(None, _HEX_BYTES[:-1])
        for text in texts
        if text is not None
    )


def odd_ones(events: Sequence[WireEvent]) -> list[int]:
    """Places of the events that do not fit, found by halving: one bad event costs a second look at its neighbours."""
    return list(_odd(events, 0))


def _odd(events: Sequence[WireEvent], offset: int) -> Iterable[int]:
    if not events or fits(events):
        return
    if len(events) == 1:
        yield offset
        return
    middle = len(events) // 2
    yield from _odd(events[:middle], offset)
    yield from _odd(events[middle:], offset + middle)


def is_plain(raw: bytes) -> bool:
    """ASCII without backslashes and without long runs of spaces: what the shortcuts of this module rely on."""
    return (
        raw.isascii()
        and b"\\" not in raw
        and b" " * 32 not in raw
        and not (b"\n" in raw or b"\t" in raw or b"\r" in raw)
    )


def quotes(raw: bytes) -> int:
    """How many quotation marks there are; `bytes.count` stops at each."""
    return int(np.count_nonzero(np.frombuffer(raw, dtype=np.uint8) == _QUOTE))
