"""Which route means which event, checked against the schemas when the host starts: a wrong name stops it there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from osler.domain.event_types import EVENT_TYPES, Sender
from osler.errors import Misconfigured
from osler.tracking.templates import plain

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A value that stands in the path: its name in the route's template."""

    name: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """The event that a route makes, with its fixed fields and those that come out of the path."""

    event_type: str
    fixed: Mapping[str, Any]
    from_path: Mapping[str, str]

    def data(self, path_params: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        """The event's data for one request; `more` is what the handler added."""
        taken = {field: str(path_params[name]) for field, name in self.from_path.items() if name in path_params}
        return {**self.fixed, **taken, **more}


Routes = Mapping[tuple[str, str], Mapped]


def path(name: str) -> PathParameter:
    """The value of a path parameter, by its name in the template. Sent only if it fits the field's pattern."""
    return PathParameter(name)


def maps_to(event_type: str, **fields: Any) -> Mapped:
    """A route's event. Fields are constants or `path(…)`; a handler adds more with `request.state.osler.set(…)`."""
    from_path = {name: value.name for name, value in fields.items() if isinstance(value, PathParameter)}
    fixed = {name: value for name, value in fields.items() if not isinstance(value, PathParameter)}
    return Mapped(event_type, fixed, from_path)


def checked_routes(routes: Routes) -> Routes:
    """The mappings by method and plain template, each checked against its event's schema.

    Errors: Misconfigured with every fault found.
    """
    faults = [fault for key, mapped in routes.items() for fault in _faults(key, mapped)]
    if faults:
        raise Misconfigured("tracking cannot start:\n  " + "\n  ".join(faults), code="tracking.routes")
    return {(method.upper(), plain(template)): mapped for (method, template), mapped in routes.items()}


def _faults(key: tuple[str, str], mapped: Mapped) -> list[str]:
    method, template = key
    place = f"{method} {template}"
    kind = EVENT_TYPES.get(mapped.event_type)
    if kind is None or kind.sender is Sender.SERVER:
        return [f"{place}: there is no event type '{mapped.event_type}' that a host may send"]
    declared = {info.encode_name: info for info in msgspec.structs.fields(kind.data)}
    in_template = set(_PARAMETER.findall(template))
    return [
        *(
            f"{place}: {mapped.event_type} has no field '{name}'; it has {', '.join(declared)}"
            for name in [*mapped.fixed, *mapped.from_path]
            if name not in declared
        ),
        *(
            f"{place}: {value!r} is no value for {mapped.event_type}.{name}"
            for name, value in mapped.fixed.items()
            if name in declared and not _fits(value, declared[name].type)
        ),
        *(
            f"{place}: the path has no parameter '{name}'"
            for name in mapped.from_path.values()
            if name not in in_template
        ),
    ]


def _fits(value: object, declared: Any) -> bool:
    try:
        msgspec.convert(value, declared, strict=True)
    except (msgspec.ValidationError, TypeError):
        return False
    return True
