"""Writes the reference page of events from their declarations, so that the page cannot fall behind.

`python -m osler.ingest.reference > docs/reference/events.md` writes it again; a test compares.
"""

from __future__ import annotations

import sys

from msgspec import inspect as mi

from osler.domain import event_fields
from osler.domain.event_types import EVENT_TYPES, EventType
from osler.domain.outcomes import Code, Warn
from osler.ingest.wire import CommonFields

_PATTERNS = {
    event_fields.ID_PATTERN: "id",
    event_fields.KEY_PATTERN: "key",
    event_fields.ROUTE_PATTERN: "route template",
    event_fields.UUID_PATTERN: "UUID",
    event_fields.ZONE_PATTERN: "IANA zone",
}
_TOP = """# Events

Generated from `osler/domain/event_types.py` and `osler/domain/outcomes.py`; do not edit.

Every type is closed: a field that is not listed is refused, and no field takes free text. A field that is absent and a
field that is null mean the same. An *id* is 1 to 64 ASCII letters, digits and `_.:-`; a *key* is 1 to 8 letters and
digits; durations are seconds with at most three decimals. `GET /api/events/limits` answers limits and versions.
"""


def events_page() -> str:
    """The whole page, in Markdown."""
    parts = [_TOP, "## Fields of every event\n", _fields(mi.type_info(CommonFields))]
    parts.append(
        "`type` names the type, `data` holds its fields. `topic_ids` are for imports, `user_id` for service tokens.\n"
    )
    parts.append("## Types\n")
    parts += [_type(kind) for kind in EVENT_TYPES.values()]
    parts += ["## Statuses and codes\n", _codes(), "## Warnings\n", _warnings()]
    return "\n".join(parts)


def _type(kind: EventType) -> str:
    doc = (kind.data.__doc__ or "").strip()
    notes = [f"Schema {kind.version}, sent by: {kind.sender.value}."]
    if kind.body is not None:
        notes.append(f"Also in `{kind.body.value}`.")
    if kind.consent is not None:
        notes.append(f"Only with the consent `{kind.consent}`.")
    if kind.service_fields:
        notes.append(f"Services and imports only: {_names(kind.service_fields)}.")
    if kind.one_of:
        notes.append(f"Exactly one of {_names(kind.one_of)}.")
    if kind.at_most_one:
        notes.append(f"At most one of {_names(kind.at_most_one)}.")
    return f"### `{kind.name}`\n\n{doc} {' '.join(notes)}\n\n{_fields(mi.type_info(kind.data))}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fields(declared: mi.Type) -> str:
    assert isinstance(declared, mi.StructType)  # noqa: S101 (every data class is a struct)
    if not declared.fields:
        return "No fields.\n"
    rows = [
        f"| `{field.encode_name}` | {_said(field.type)} | {'yes' if field.required else 'no'} |"
        for field in declared.fields
    ]
    return "\n".join(["| field | value | required |", "|---|---|---|", *rows, ""])


def _said(kind: mi.Type) -> str:  # noqa: PLR0911  (one line for each kind of type)
    """A type in words."""
    if isinstance(kind, mi.Metadata):
        return _said(kind.type)
    if isinstance(kind, mi.UnionType):
        return _said(next(each for each in kind.types if not isinstance(each, mi.NoneType)))
    if isinstance(kind, mi.LiteralType):
        return " · ".join(str(value) for value in kind.values)
    if isinstance(kind, mi.ListType):
        return f"list of {_said(kind.item_type)}, at most {kind.max_length}"
    if isinstance(kind, mi.StrType):
        return _PATTERNS.get(kind.pattern or "", "text")
    if isinstance(kind, (mi.IntType, mi.FloatType)):
        return _number(kind)
    return "true or false"


def _number(kind: mi.IntType | mi.FloatType) -> str:
    name = "integer" if isinstance(kind, mi.IntType) else "number"
    if kind.ge == -event_fields.INT_MAX:
        return name
    return f"{name} {kind.ge:,} to {kind.le:,}"


def _codes() -> str:
    rows = [f"| `{code.value}` | {code.status.value} | {code.text} |" for code in Code]
    return "\n".join(["| code | status | meaning |", "|---|---|---|", *rows, ""])


def _warnings() -> str:
    return "An accepted event may carry: " + ", ".join(f"`{warning.value}`" for warning in Warn) + ".\n"


if __name__ == "__main__":
    sys.stdout.write(events_page())
