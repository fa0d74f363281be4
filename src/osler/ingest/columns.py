"""Takes many events apart, once: each field a column, so that what follows looks at columns and not at events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from msgspec.structs import astuple

from osler.domain.event_types import EventType
from osler.ingest.wire import KIND_OF, WireEvent

Texts = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one type: their places among all, and the fields of their `data` by name."""

    kind: EventType
    places: Sequence[int]
    fields: dict[str, Sequence[Any]]

    def given(self, name: str) -> Sequence[Any]:
        """The values of a field where it is given; empty as well for a type without it."""
        values = self.fields.get(name, ())
        absent = values.count(None)
        if absent == len(values):
            return ()
        return [value for value in values if value is not None] if absent else values


class Columns:
    """Common fields of events, and the fields of their data by type."""

    __slots__ = (
        "boot_ids", "data", "events", "groups", "ids", "monotonic_ms", "occurred_at", "precisions", "schemas",
        "session_ids", "topic_ids", "user_ids", "zones",
    )  # fmt: skip

    def __init__(self, events: Sequence[WireEvent]) -> None:
        self.events = events
        taken = zip(*map(astuple, events), strict=True) if events else repeat(())
        self.ids: Sequence[str] = next(taken)
        self.schemas: Sequence[int] = next(taken)
        self.occurred_at: Sequence[str] = next(taken)
        self.zones: Texts = next(taken)
        self.session_ids: Texts = next(taken)
        self.boot_ids: Texts = next(taken)
        self.monotonic_ms: Sequence[int | None] = next(taken)
        self.topic_ids: Sequence[list[str] | None] = next(taken)
        self.precisions: Texts = next(taken)
        self.user_ids: Texts = next(taken)
        self.data: Sequence[Any] = next(taken)
        self.groups = _groups(events, self.data)

    def __len__(self) -> int:
        """How many events."""
        return len(self.events)

    def spread(self, group: Group, values: Sequence[Any], otherwise: Any) -> list[Any]:
        """A column of all events from the values of one group."""
        if len(group.places) == len(self.events):
            return list(values)
        made = [otherwise] * len(self.events)
        for place, value in zip(group.places, values, strict=True):
            made[place] = value
        return made

    def types(self) -> list[str]:
        """The type of each event."""
        if len(self.groups) == 1:
            return [self.groups[0].kind.name] * len(self.events)
        return [KIND_OF[event.__class__].name for event in self.events]


def _groups(events: Sequence[WireEvent], data: Sequence[Any]) -> list[Group]:
    classes = set(map(type, events))
    if len(classes) == 1:
        return [_group(classes.pop(), range(len(events)), data)]
    made: list[Group] = []
    for each in classes:
        places = [place for place, event in enumerate(events) if event.__class__ is each]
        made.append(_group(each, places, [data[place] for place in places]))
    return made


def _group(kind: type[WireEvent], places: Sequence[int], data: Sequence[Any]) -> Group:
    names = data[0].__struct_fields__
    return Group(KIND_OF[kind], places, dict(zip(names, zip(*map(astuple, data), strict=True), strict=True)))
