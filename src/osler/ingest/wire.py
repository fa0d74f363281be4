"""What one event looks like on the wire: a tagged union of closed structs, generated from `domain.event_types`.

Two families with the same fields: `data` as declared (patterns and all, for documents and checks) and `Loose`
structs whose texts carry no patterns, because a pattern inside the decoder costs 5.5 µs an event and the same check
over a whole column costs a fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Raw
from msgspec.structs import FieldInfo

from osler.domain import event_fields as f
from osler.domain.event_types import EVENT_TYPES, EventData, EventType


class WireEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """The fields that every event has. `user_id` is for service tokens, `topic_ids` for imports."""

    id: str
    schema: f.SchemaVersion
    occurred_at: str
    tz: str | None = None
    session_id: str | None = None
    boot_id: str | None = None
    monotonic_ms: f.Monotonic | None = None
    topic_ids: Annotated[list[str], Meta(max_length=5)] | None = None
    time_precision: f.TimePrecision | None = None
    user_id: str | None = None
    data: Any

    @property
    def type(self) -> str:
        """The wire name of the event's type."""
        return cast("str", self.__struct_config__.tag)


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What surrounds a batch.

    `boot_id` says which boot `sent_monotonic_ms` belongs to; `dropped` counts what a client threw away, by type.
    """

    sent_at: str
    events: list[Raw]
    device_id: f.Id | None = None
    attempt: Annotated[int, Meta(ge=1, le=f.INT_MAX)] | None = None
    sdk: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/+\-]{1,64}$")] | None = None
    boot_id: f.UuidText | None = None
    sent_monotonic_ms: f.Monotonic | None = None
    dropped: dict[f.Id, Annotated[int, Meta(ge=0, le=f.INT_MAX)]] | None = None


def _loose(annotation: Any) -> Any:
    """A type with the constraints on its texts taken off; numbers keep theirs, which cost nothing to check."""
    if get_origin(annotation) is Annotated:
        inner, *metas = get_args(annotation)
        stripped = _loose(inner)
        return stripped if inner is str else Annotated[stripped, *metas]
    if get_origin(annotation) is list:
        return list[_loose(get_args(annotation)[0])]
    if type(None) in get_args(annotation):
        return _loose(next(each for each in get_args(annotation) if each is not type(None))) | None
    return annotation


def _field(info: FieldInfo, annotation: Any) -> tuple[str, Any, Any]:
    name = info.encode_name if info.encode_name != info.name else None
    default = info.default if info.default is not msgspec.NODEFAULT else UNSET
    if default is UNSET:
        return info.name, annotation, msgspec.field(name=name)
    return info.name, annotation, msgspec.field(default=default, name=name)


def _loose_data(declared: type[EventData]) -> type[msgspec.Struct]:
    hints = get_type_hints(declared, include_extras=True)
    fields = [_field(info, _loose(hints[info.name])) for info in msgspec.structs.fields(declared)]
    return msgspec.defstruct(
        f"Loose{declared.__name__}", fields, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False,
        kw_only=True,
    )  # fmt: skip


def _event(kind: EventType) -> type[WireEvent]:
    made = msgspec.defstruct(
        f"{kind.data.__name__}Event", [("data", _loose_data(kind.data))], bases=(WireEvent,), tag_field="type",
        tag=kind.name, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True,
    )  # fmt: skip
    return cast("type[WireEvent]", made)


WIRE_TYPES: dict[str, type[WireEvent]] = {name: _event(kind) for name, kind in EVENT_TYPES.items()}
KIND_OF = {WIRE_TYPES[name]: kind for name, kind in EVENT_TYPES.items()}
AnyEvent: Any = Union[tuple(WIRE_TYPES.values())]  # noqa: UP007  (the members are made at run time)


QuickEnvelope = msgspec.defstruct(
    "QuickEnvelope", [("events", list[AnyEvent])], bases=(Envelope,), frozen=True, forbid_unknown_fields=True,
    omit_defaults=True, kw_only=True,
)  # fmt: skip

quick_envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(QuickEnvelope)
raw_envelope = msgspec.json.Decoder(Envelope)
quick_events: msgspec.json.Decoder[list[WireEvent]] = msgspec.json.Decoder(list[AnyEvent])
quick_event: msgspec.json.Decoder[WireEvent] = msgspec.json.Decoder(AnyEvent)
plain = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")


def encode_data(data: Sequence[Any]) -> bytes:
    """The `data` of many events, one JSON a line, keys sorted, absent fields left out."""
    return _sorted.encode_lines(data)


class CommonFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The common fields with all of their constraints, as the careful way and the documents read them."""

    id: f.UuidText
    schema: f.SchemaVersion
    occurred_at: str
    tz: f.ZoneName | None = None
    session_id: f.UuidText | None = None
    boot_id: f.UuidText | None = None
    monotonic_ms: f.Monotonic | None = None
    topic_ids: f.TopicIds | None = None
    time_precision: f.TimePrecision | None = None
    user_id: str | None = None
