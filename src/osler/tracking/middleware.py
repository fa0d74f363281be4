"""Tracks a host's requests, from outside.

Pure ASGI: bodies, streams and WebSockets pass untouched, and nothing is ever awaited between the host and its client
but the host itself.

Read: method, route template, status, duration, and the browser's name out of a closed list. Never read: bodies, query
strings, raw paths, other headers, cookies, addresses.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from osler import clock
from osler.domain.privacy import sanitize_user_agent
from osler.tracking.client import Osler
from osler.tracking.mapping import Mapped, Routes, check_routes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], "str | Awaitable[str | None] | None"]

UNTRACKED_PATHS = ("/health", "/healthz", "/ready", "/live", "/metrics", "/static", "/favicon.ico")
_FAILED = 400


class Details:
    """What a handler knows and the route does not: `request.state.osler.set(answer=["A"])`."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def set(self, **fields: Any) -> None:
        """Add fields to the event that this request's route is mapped to."""
        self.fields.update(fields)


class TrackingMiddleware:
    """One `api_request` for each request of an identified learner, and the mapped event when it succeeded.

    `identify` gets the ASGI scope and returns the host's own subject for the learner, or None for nobody. If it
    raises, takes over 50 ms or returns an address, nothing is tracked, and that is counted.
    """

    def __init__(self, app: App, *, osler: Osler, identify: Identify, routes: Routes | None = None) -> None:
        self.app = app
        self._osler = osler
        self._identify = identify
        self._routes: Routes = routes or {}
        check_routes(self._routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the host; then, whatever came of it, note the request."""
        if scope["type"] != "http" or scope["path"].startswith(UNTRACKED_PATHS):
            await self.app(scope, receive, send)
            return
        details = Details()
        scope.setdefault("state", {})["osler"] = details
        status = 500
        started = clock.monotonic_seconds()

        async def watching(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watching)
        finally:
            await self._note(scope, status, clock.monotonic_seconds() - started, details)

    async def _note(self, scope: Scope, status: int, seconds: float, details: Details) -> None:
        try:
            subject = await self._subject(scope)
            if subject is None:
                return
            template = route_template(scope)
            self._osler.track_nowait("api_request", user=subject, data=_request(scope, template, status, seconds))
            mapped = self._routes.get((scope["method"], template))
            if mapped is not None and status < _FAILED:
                self._track_mapped(mapped, subject, scope, details)
        except Exception:  # noqa: BLE001 (whatever is wrong with tracking, the host's answer stands)
            self._osler.refuse("middleware", "api_request")

    def _track_mapped(self, mapped: Mapped, subject: str, scope: Scope, details: Details) -> None:
        data = mapped.data(scope.get("path_params", {}), details.fields)
        self._osler.track_nowait(mapped.event_type, user=subject, data=data)

    async def _subject(self, scope: Scope) -> str | None:
        try:
            found = self._identify(scope)
            if inspect.isawaitable(found):
                found = await asyncio.wait_for(found, self._osler.options.identify_seconds)
        except Exception:  # noqa: BLE001 (the host's own function; its faults are counted, not passed on)
            self._osler.refuse("identify", "api_request")
            return None
        return found


def _request(scope: Scope, template: str, status: int, seconds: float) -> dict[str, Any]:
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return {
        "route": template,
        "method": scope["method"],
        "status": status,
        "duration_ms": min(600_000, round(seconds * 1000)),
        "client": sanitize_user_agent(agent.decode("latin-1")),
    }


def route_template(scope: Mapping[str, Any]) -> str:
    """The template of the route that answered, such as `/quiz/{qid}/answer`; `unmatched` where none did."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    if isinstance(template, str):
        return _mounted(scope) + template
    if scope.get("endpoint") is None:
        return "unmatched"
    return _template_from_parameters(str(scope["path"]), scope.get("path_params", {}))


def _mounted(scope: Mapping[str, Any]) -> str:
    """The prefix of a mounted application: part of its routes' templates, as the outer application sees them."""
    root, outer = str(scope.get("root_path", "")), str(scope.get("app_root_path", ""))
    return root.removeprefix(outer)


def _template_from_parameters(raw_path: str, parameters: Mapping[str, Any]) -> str:
    """Where the framework does not say the route: put the parameters' names back where their values stand."""
    named = {str(value): f"{{{name}}}" for name, value in parameters.items()}
    return "/".join(named.get(part, part) for part in raw_path.split("/"))
