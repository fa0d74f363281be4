"""The quick way: a whole batch as one typed decode, then its texts checked by the column.

It says which events it vouches for and which are odd; an odd one goes the careful way, alone. It never decides why
an event is wrong, so it may be as strict as it likes, but must not let through what the careful way refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
from msgspec import inspect as mi

from osler.domain.event_fields import ID_PATTERN, KEY_PATTERN, ROUTE_PATTERN, UUID_PATTERN
from osler.domain.event_types import EVENT_TYPES, EventType
from osler.ingest.columns import Columns, Group
from osler.ingest.instants import are_uuid7
from osler.ingest.wire import WireEvent

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
        self.ids: list[str] = []
        self.keys: list[str] = []
        self.uuids: list[str] = []
        self.routes: list[str] = []
        self.numbers: list[tuple[str, bool]] = []
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
            places[inner.pattern or ""].append(name)
        elif isinstance(inner, mi.FloatType) and isinstance(kind, mi.Metadata):
            extra = cast("dict[str, Any]", getattr(kind, "extra_json_schema", None) or {})
            self.numbers.append((name, "multipleOf" in extra))


_FITS = {name: Fits(kind) for name, kind in EVENT_TYPES.items()}


def fits(columns: Columns) -> bool:
    """Whether every text and number of these events has the form its declaration asks for."""
    ids: list[str] = []
    keys: list[str] = []
    uuids: list[str] = []
    routes: list[str] = []
    for group in columns.groups:
        plan = _FITS[group.kind.name]
        if not _numbers_fit(plan, group) or not _fields_go_together(group):
            return False
        ids += _texts(plan.ids, group)
        uuids += _texts(plan.uuids, group)
        routes += _texts(plan.routes, group)
        for name in plan.keys:
            keys += chain.from_iterable(group.fields[name])
    return (
        _all_of(ids, _ID_BYTES, 64)
        and _all_of(keys, _KEY_BYTES, 8)
        and _common_fits(columns)
        and (not uuids or _uuids_fit(uuids))
        and _all_of(routes, _ROUTE_BYTES, 201)
        and all(route[0] == "/" or route == "unmatched" for route in routes)
    )


def _texts(names: Iterable[str], group: Group) -> list[str]:
    return [text for name in names for text in group.given(name)]


def _numbers_fit(plan: Fits, group: Group) -> bool:
    """Whether none is −0, which is stored as 0, and each has three decimals at most where no more are allowed.

    Thousandths divided again are the number that a text with three decimals reads as.
    """
    for name, has_steps in plan.numbers:
        values = np.array(group.given(name), dtype=np.float64)
        if np.signbit(values).any() or (has_steps and (np.rint(values * 1000) / 1000 != values).any()):
            return False
    return True


def _fields_go_together(group: Group) -> bool:
    kind = group.kind
    if kind.one_of and _given(kind.one_of, group) != {1}:
        return False
    return not kind.at_most_one or _given(kind.at_most_one, group) <= {0, 1}


def _given(names: tuple[str, ...], group: Group) -> set[int]:
    """How many of some fields an event has: every number that occurs."""
    columns = [group.fields[name] for name in names]
    if all(None not in column or column.count(None) == len(column) for column in columns):
        return {sum(None not in column for column in columns)}
    return {len(names) - row.count(None) for row in zip(*columns, strict=True)}


def _all_of(texts: Collection[str], allowed: bytes, longest: int) -> bool:
    """Whether every text holds allowed bytes alone and has 1 to `longest` of them."""
    if not texts:
        return True
    lengths = set(map(len, texts))
    return 0 not in lengths and max(lengths) <= longest and not "\n".join(texts).encode().translate(None, allowed)


def _common_fits(columns: Columns) -> bool:
    topics = [topic for names in columns.topic_ids if names is not None for topic in names]
    return (
        are_uuid7(columns.ids)
        and _uuids_fit({*columns.session_ids, *columns.boot_ids})
        and _all_of(topics, _ID_BYTES, 64)
        and _all_of({zone for zone in set(columns.zones) if zone is not None}, _ZONE_BYTES, 64)
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
    if not events or fits(Columns(events)):
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
