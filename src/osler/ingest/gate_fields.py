"""Which fields of each event type hold ids that somebody chose, and so pass the privacy gate."""

from __future__ import annotations

from msgspec import inspect as mi

from osler.domain.event_fields import ID_PATTERN, ROUTE_PATTERN
from osler.domain.event_types import EVENT_TYPES, EventType


def _id_fields(kind: EventType) -> tuple[str, ...]:
    declared = mi.type_info(kind.data)
    assert isinstance(declared, mi.StructType)  # noqa: S101 (every data class is a struct)
    return tuple(field.name for field in declared.fields if _pattern_of(field.type) in {ID_PATTERN, ROUTE_PATTERN})


def _pattern_of(kind: mi.Type) -> str | None:
    if isinstance(kind, mi.UnionType):
        return next(filter(None, map(_pattern_of, kind.types)), None)
    if isinstance(kind, mi.Metadata):
        return _pattern_of(kind.type)
    return kind.pattern if isinstance(kind, mi.StrType) else None


ID_FIELDS = {name: _id_fields(kind) for name, kind in EVENT_TYPES.items()}
