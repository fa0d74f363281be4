"""The template of the route that answered, such as `/quiz/{qid}/answer`, put together from declarations alone.

The request's own path is only ever matched, never copied: what a learner typed into it cannot get into a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

UNMATCHED = "unmatched"
_CONVERTER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*):[^}]*\}")
_SENDABLE = re.compile(r"/[A-Za-z0-9_{}/.:\-]{0,200}")


def plain(template: str) -> str:
    """A template without converters: `/files/{name:path}` and `/files/{name}` are one."""
    return _CONVERTER.sub(r"{\1}", template)


def route_template(scope: Mapping[str, Any]) -> str:
    """The template of the route that answered; `unmatched` where none did, or where it cannot be told."""
    inner = _own_template(scope)
    if inner is None:
        return UNMATCHED
    if not scope.get("root_path"):
        return _sendable(inner)
    prefix = _mounted_at(scope)
    return UNMATCHED if prefix is None else _sendable(prefix + inner)


@lru_cache(maxsize=10_000)
def _sendable(declared: str) -> str:
    template = plain(declared)
    return template if _SENDABLE.fullmatch(template) else UNMATCHED


def _own_template(scope: Mapping[str, Any]) -> str | None:
    """What the answering application declared, with the prefixes of the routers that it included."""
    fastapi: Any = scope.get("fastapi")
    if isinstance(fastapi, dict):
        found = getattr(cast("dict[str, Any]", fastapi).get("effective_route_context"), "path_format", None)
        if isinstance(found, str):
            return found
    route = scope.get("route")
    if route is not None:
        found = getattr(route, "path_format", None) or getattr(route, "path", None)
        if isinstance(found, str):
            return found
    return _by_endpoint(scope)


def _by_endpoint(scope: Mapping[str, Any]) -> str | None:
    """Frameworks that do not say the route still say which function answered."""
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return None
    path = _inside(scope)
    for route in getattr(scope.get("app"), "routes", ()):
        if getattr(route, "endpoint", None) is endpoint and route.path_regex.match(path):
            return str(route.path_format)
    return None


def _inside(scope: Mapping[str, Any]) -> str:
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root else path


def _mounted_at(scope: Mapping[str, Any]) -> str | None:
    """The templates of the mounts that lead to the answering application; None when they cannot be found."""
    root, outer = str(scope.get("root_path", "")), str(scope.get("app_root_path", scope.get("root_path", "")))
    wanted = root.removeprefix(outer)
    if not wanted:
        return ""
    return _mounts(getattr(scope.get("router"), "routes", ()), wanted)


def _mounts(routes: Iterable[Any], wanted: str) -> str | None:
    for route in routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is None or not hasattr(route, "app") or hasattr(route, "endpoint"):
            continue
        match = pattern.match(wanted + "/")
        if match is None or "path" not in match.groupdict():
            continue
        rest = wanted[match.start("path") - 1 :].rstrip("/")
        deeper = _mounts(getattr(route, "routes", None) or (), rest) if rest else ""
        if deeper is not None:
            return str(route.path) + deeper
    return None
