"""Hypothesis strategies made from the declared event types: valid events, and the ways in which they go wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as mi
from tests.support.wire_events import iso

from osler.domain.event_types import EVENT_TYPES, EventType
from osler.domain.identity import deterministic_id
from osler.ingest.wire import CommonFields

_BASE_MS = 1_790_000_000_000
_IDS = st.from_regex(r"\A[A-Za-z0-9_.:\-]{1,64}\Z")


def value_of(kind: mi.Type) -> st.SearchStrategy[Any]:  # noqa: C901  (one line for each kind of type)
    """Values that fit a declared type."""
    if isinstance(kind, mi.Metadata):
        if (kind.extra_json_schema or {}).get("multipleOf") and isinstance(kind.type, mi.FloatType):
            high = min(int((kind.type.le or 10**6) * 1000), 10**9)
            return st.integers(0, high).map(lambda n: n / 1000)
        return value_of(kind.type)
    if isinstance(kind, mi.UnionType):
        return value_of(next(each for each in kind.types if not isinstance(each, mi.NoneType)))
    if isinstance(kind, mi.BoolType):
        return st.booleans()
    if isinstance(kind, mi.IntType):
        return st.integers(kind.ge, kind.le)
    if isinstance(kind, mi.FloatType):
        return st.floats(kind.ge, kind.le, allow_nan=False)
    if isinstance(kind, mi.LiteralType):
        return st.sampled_from(list(kind.values))
    if isinstance(kind, mi.ListType):
        return st.lists(value_of(kind.item_type), max_size=kind.max_length)
    assert isinstance(kind, mi.StrType)
    if kind.pattern is None:
        return st.just("x")
    if "{1,64}" in kind.pattern:
        return _IDS
    return st.from_regex(rf"\A(?:{kind.pattern.strip('^$')})\Z").filter(str.isascii)


@st.composite
def data_of(draw: st.DrawFn, kind: EventType) -> dict[str, Any]:
    """Valid `data` of a type."""
    declared = mi.type_info(kind.data)
    assert isinstance(declared, mi.StructType)
    made = {
        field.encode_name: draw(value_of(field.type))
        for field in declared.fields
        if field.required or draw(st.booleans())
    }
    for names, least in ((kind.one_of, 1), (kind.at_most_one, 0)):
        for name in names:
            made.pop(name, None)
        if names and least:
            made[names[0]] = draw(_IDS)
    return made


@st.composite
def valid_event(draw: st.DrawFn) -> dict[str, Any]:
    """One event that has to be taken."""
    kind = draw(st.sampled_from(list(EVENT_TYPES.values())))
    ms = _BASE_MS + draw(st.integers(0, 10**9))
    made: dict[str, Any] = {
        "id": str(deterministic_id("test", str(draw(st.integers(0, 10**9))), ms)),
        "type": kind.name,
        "schema": 1,
        "occurred_at": iso(ms, draw(st.sampled_from(["Z", "+00:00", "+05:30", "-03:30"]))),
        "data": draw(data_of(kind)),
    }
    if draw(st.booleans()):
        made["tz"] = draw(st.sampled_from(["Europe/London", "Asia/Kathmandu", "UTC"]))
    if draw(st.booleans()):
        made["session_id"] = str(draw(st.uuids()))
    return made


_JUNK = st.sampled_from(
    [None, True, -1, 0, 2**53, 1e300, -0.0, 0.12345, "", "a b", "é", "x\u0000y", "x" * 65, "A" * 8, [], {}, ["A"] * 11,
     [["A"]], "00000000-0000-7000-8000-000000000000", "2026-11-22T07:28:11", {"a": {"b": 1}}]
)  # fmt: skip


@st.composite
def broken_event(draw: st.DrawFn) -> bytes:
    """An event with something changed, as bytes: another value, a field more, less or twice, strange spelling."""
    event = draw(valid_event())
    where = draw(st.sampled_from([event, event["data"]]))
    common = mi.type_info(CommonFields)
    assert isinstance(common, mi.StructType)
    names = [*where, "extra", "answer", "id", *(field.encode_name for field in common.fields)]
    name = draw(st.sampled_from(names))
    how = draw(st.sampled_from(["change", "drop", "twice", "spaces", "escape", "upper"]))
    if how == "change":
        where[name] = draw(_JUNK)
    elif how == "drop":
        where.pop(name, None)
    raw = json.dumps(event, indent=1 if how == "spaces" else None, ensure_ascii=draw(st.booleans()))
    if how == "twice":
        more = ", " if event.get("data") else ""
        raw = raw.replace('"data": {', '"data": {"question_id": "q", "question_id": "q"' + more, 1)
    if how == "escape":
        raw = raw.replace("question", "\\u0071uestion", 1)
    if how == "upper":
        raw = raw.replace(event["id"], str(event["id"]).upper()) if "id" in event else raw
    return raw.encode()
