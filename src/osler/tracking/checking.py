"""Whether an event may leave the host: its type, its fields, and nothing in it that looks like a person's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard, cast, get_args

import msgspec

from osler.domain.event_fields import Client, HttpMethod, UuidText, ZoneName
from osler.domain.event_types import EVENT_TYPES, Sender
from osler.domain.privacy_gate import looks_personal

SERVER_ONLY = frozenset(name for name, kind in EVENT_TYPES.items() if kind.sender is Sender.SERVER)
METHODS: frozenset[str] = frozenset(get_args(HttpMethod))
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_FIRST_MS, _END_MS = 946_684_800_000, 4_133_980_800_000
"""2000-01-01 and 2101-01-01 in UTC."""


class _Common(msgspec.Struct):
    tz: ZoneName | None = None
    session_id: UuidText | None = None


def is_subject(user: object) -> TypeGuard[str]:
    """Whether this may be a host's own name for a learner: not an address, and not nothing."""
    return isinstance(user, str) and bool(user) and "@" not in user


def fault_of(event_type: str, data: Mapping[str, Any]) -> str | None:
    """Why an event is not tracked: `type`, `schema` or `privacy`; None when it may go.

    Stricter here than at Osler's door is fine; looser would only mean that Osler refuses it later.
    """
    kind = EVENT_TYPES.get(event_type)
    if kind is None or event_type in SERVER_ONLY:
        return "type"
    try:
        msgspec.convert(data, kind.data, strict=True)
    except (msgspec.ValidationError, TypeError, ValueError):
        return "schema"
    if not _go_together(kind.one_of, kind.at_most_one, data):
        return "schema"
    return _fault_of_values(data)


def lacking(event_type: str, data: object) -> list[str]:
    """The fields that an event of this type must have and these data have not, by their declared names."""
    kind = EVENT_TYPES.get(event_type)
    if kind is None or not isinstance(data, Mapping):
        return []
    given = cast("Mapping[str, Any]", data)
    required = [info.encode_name for info in msgspec.structs.fields(kind.data) if info.required]
    return [name for name in required if given.get(name) is None]


def _go_together(one_of: tuple[str, ...], at_most_one: tuple[str, ...], data: Mapping[str, Any]) -> bool:
    if one_of and sum(data.get(name) is not None for name in one_of) != 1:
        return False
    return not at_most_one or sum(data.get(name) is not None for name in at_most_one) <= 1


def _fault_of_values(data: Mapping[str, Any]) -> str | None:
    for value in data.values():
        if isinstance(value, str) and looks_personal(value):
            return "privacy"
    return None


def rounded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data as the wire has it: numbers of at most three decimals, though a host measures finer; nothing for None."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in data.items()
        if value is not None
    }


def is_usable_time(at: datetime) -> bool:
    """Aware, and within the years that Osler reads."""
    return at.utcoffset() is not None and _FIRST_YEAR <= at.year <= _LAST_YEAR


def is_usable_ms(unix_ms: int) -> bool:
    """The same of a machine's own clock: one that has lost its battery says 1970."""
    return _FIRST_MS <= unix_ms < _END_MS


def are_usable(tz: str | None, session_id: str | None) -> bool:
    """Whether zone and session have their form."""
    try:
        msgspec.convert({"tz": tz, "session_id": session_id}, _Common)
    except msgspec.ValidationError:
        return False
    return True


def client_name(name: str) -> str:
    """The browser's name if the event knows it; a pair that no event type lists is "Other"."""
    try:
        return msgspec.convert(name, Client)
    except msgspec.ValidationError:
        return "Other"
