"""The careful way: one event, checked by a plain walk over its declared type, with a code and a path for each fault.

It is the oracle of the quick way, which must take and refuse the same events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import msgspec
from msgspec import inspect as mi

from osler.domain.event_types import EVENT_TYPES, EventType
from osler.domain.outcomes import Code, EventProblem
from osler.ingest import strict_json
from osler.ingest.wire import WIRE_TYPES, CommonFields, WireEvent

MAX_EVENT_BYTES = 16 * 1024
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_UUID_FIELDS = ("id", "session_id", "boot_id", "user_id")


def read(raw: bytes) -> WireEvent:
    """The event in a JSON text. Errors: EventProblem, the first fault in a fixed order."""
    if len(raw) > MAX_EVENT_BYTES:
        raise EventProblem(Code.EVENT_TOO_LARGE)
    try:
        value = strict_json.parse(raw)
    except ValueError:
        raise EventProblem(Code.JSON_ENCODING) from None
    return check(value)


def check(value: Any) -> WireEvent:
    """The event in a decoded JSON value. Errors: EventProblem."""
    if not isinstance(value, dict):
        raise EventProblem(Code.SCHEMA_TYPE, "")
    event = dict(cast("dict[str, Any]", value))
    _lower_ids(event)
    try:
        return _checked(event)
    except EventProblem as problem:
        sound = isinstance(event.get("id"), str) and UUID7.fullmatch(event["id"]) is not None
        problem.event_id = event["id"] if sound else None
        raise


def _checked(event: dict[str, Any]) -> WireEvent:
    kind = _kind(event)
    _check_id(event)
    data_type = _version(event, kind)
    _check_object(_envelope_type(), {k: v for k, v in event.items() if k not in {"type", "data"}}, "")
    if "data" not in event:
        raise EventProblem(Code.SCHEMA_MISSING_FIELD, "/data")
    _check(data_type, event["data"], "/data")
    check_together(kind, cast("dict[str, Any]", event["data"]))
    return msgspec.convert(event, WIRE_TYPES[kind.name])


def _kind(event: Mapping[str, Any]) -> EventType:
    if event.get("type") is None:
        raise EventProblem(Code.TYPE_MISSING, "/type")
    kind = EVENT_TYPES.get(event["type"]) if isinstance(event["type"], str) else None
    if kind is None:
        raise EventProblem(Code.TYPE_UNKNOWN, "/type")
    return kind


def _version(event: Mapping[str, Any], kind: EventType) -> mi.Type:
    version = event.get("schema")
    if isinstance(version, int) and not isinstance(version, bool) and version > kind.version:
        raise EventProblem(Code.SCHEMA_TOO_NEW, "/schema")
    return _data_type(kind.name)


def _lower_ids(event: dict[str, Any]) -> None:
    """Ids are compared in their canonical form; upper-case digits mean the same id."""
    for name in _UUID_FIELDS:
        if isinstance(event.get(name), str):
            event[name] = event[name].lower()


def _check_id(event: Mapping[str, Any]) -> None:
    if event.get("id") is None:
        raise EventProblem(Code.ID_MISSING, "/id")
    if not isinstance(event["id"], str) or UUID7.fullmatch(event["id"]) is None:
        raise EventProblem(Code.ID_NOT_UUID7, "/id")


def check_together(kind: EventType, data: Mapping[str, Any]) -> None:
    """Rules over several fields: exactly one of some, at most one of others. Errors: EventProblem."""
    for names, least in ((kind.one_of, 1), (kind.at_most_one, 0)):
        given = [name for name in names if data.get(name) is not None]
        if names and len(given) > 1:
            raise EventProblem(Code.SCHEMA_UNKNOWN_FIELD, f"/data/{given[1]}")
        if names and len(given) < least:
            raise EventProblem(Code.SCHEMA_MISSING_FIELD, f"/data/{names[0]}")


@cache
def _data_type(name: str) -> mi.Type:
    return mi.type_info(EVENT_TYPES[name].data)


@cache
def _envelope_type() -> mi.StructType:
    return cast("mi.StructType", mi.type_info(CommonFields))


def _check(expected: mi.Type, value: Any, path: str) -> None:
    for kind, check_one in _CHECKS:
        if isinstance(expected, kind):
            check_one(expected, value, path)
            return
    msg = f"no check for {expected}"
    raise AssertionError(msg)


def _check_object(expected: mi.StructType, value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise EventProblem(Code.SCHEMA_TYPE, path)
    given = cast("dict[str, Any]", value)
    known = {field.encode_name: field for field in expected.fields}
    if not given.keys() <= known.keys():
        raise EventProblem(Code.SCHEMA_UNKNOWN_FIELD, path)  # its name is the sender's text: not repeated
    for name, field in known.items():
        if name in given:
            _check(field.type, given[name], f"{path}/{name}")
        elif field.required:
            raise EventProblem(Code.SCHEMA_MISSING_FIELD, f"{path}/{name}")


def _check_optional(expected: mi.UnionType, value: Any, path: str) -> None:
    if value is not None:
        _check(next(each for each in expected.types if not isinstance(each, mi.NoneType)), value, path)


def _check_metadata(expected: mi.Metadata, value: Any, path: str) -> None:
    _check(expected.type, value, path)
    extra = cast("dict[str, Any]", getattr(expected, "extra_json_schema", None) or {})
    if extra.get("multipleOf") == 0.001 and round(value, 3) != value:
        raise EventProblem(Code.SCHEMA_RANGE, path)


def _check_bool(_expected: mi.BoolType, value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise EventProblem(Code.SCHEMA_TYPE, path)


def _check_number(expected: mi.IntType | mi.FloatType, value: Any, path: str) -> None:
    allowed = int if isinstance(expected, mi.IntType) else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise EventProblem(Code.SCHEMA_TYPE, path)
    low, high = expected.ge, expected.le
    if (low is not None and value < low) or (high is not None and value > high):
        raise EventProblem(Code.SCHEMA_RANGE, path)


def _check_text(expected: mi.StrType, value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise EventProblem(Code.SCHEMA_TYPE, path)
    if expected.pattern is not None and re.fullmatch(expected.pattern, value, re.ASCII) is None:
        raise EventProblem(Code.SCHEMA_PATTERN, path)


def _check_choice(expected: mi.LiteralType, value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise EventProblem(Code.SCHEMA_TYPE, path)
    if value not in expected.values:
        raise EventProblem(Code.SCHEMA_ENUM, path)


def _check_list(expected: mi.ListType, value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise EventProblem(Code.SCHEMA_TYPE, path)
    items = cast("list[Any]", value)
    if expected.max_length is not None and len(items) > expected.max_length:
        raise EventProblem(Code.SCHEMA_LENGTH, path)
    for place, item in enumerate(items):
        _check(expected.item_type, item, f"{path}/{place}")


_CHECKS: tuple[tuple[type[mi.Type], Callable[[Any, Any, str], None]], ...] = (
    (mi.StructType, _check_object),
    (mi.Metadata, _check_metadata),
    (mi.UnionType, _check_optional),
    (mi.BoolType, _check_bool),
    (mi.IntType, _check_number),
    (mi.FloatType, _check_number),
    (mi.StrType, _check_text),
    (mi.LiteralType, _check_choice),
    (mi.ListType, _check_list),
)
