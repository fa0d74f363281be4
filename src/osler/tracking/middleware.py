"""Tracks a host's requests, from outside.

Pure ASGI: bodies, streams and WebSockets pass untouched, and nothing is ever awaited between the host and its client
but the host itself.

Read: method, route template, status, duration, and the browser's name out of a closed list. Never read: bodies, query
strings, other headers, cookies, addresses; the path is only matched, never copied.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

import msgspec

from osler import clock
from osler.domain.privacy import sanitize_user_agent
from osler.tracking.checking import client_name
from osler.tracking.client import Osler
from osler.tracking.first_step import begun, within
from osler.tracking.mapping import Routes, checked_routes
from osler.tracking.templates import route_template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], "str | Awaitable[str | None] | None"]

UNTRACKED = frozenset({"health", "healthz", "ready", "readyz", "live", "livez", "metrics", "static", "favicon.ico"})
"""First segments of paths that are never tracked."""

_FAILED = 400
_CLIENT_WENT_AWAY = 499
log = logging.getLogger("osler.tracking")


class Details:
    """What a handler knows and the route does not: `request.state.osler.set(answer=["A"])`."""

    fields: Mapping[str, Any] = MappingProxyType({})

    def set(self, **fields: Any) -> None:
        """Add fields to the event that this request's route is mapped to."""
        self.fields = {**self.fields, **fields}


class _Request(msgspec.Struct):
    """A request on its way through the host, and how it ended: `status` is None while no answer has begun."""

    scope: Scope
    details: Details
    started: float
    status: int | None = None
    ended: float = 0.0
    is_noted: bool = False


class TrackingMiddleware:
    """One `api_request` for each request of an identified learner, and the mapped event when it succeeded.

    `identify` gets the ASGI scope when the host has answered, before its background tasks run, and returns the host's
    own subject for the learner, or None for nobody. If it raises, takes over 50 ms or returns an address, nothing is
    tracked, and that is counted.
    When the host shuts down, what is queued is sent or left on disk.
    """

    def __init__(self, app: App, *, osler: Osler, identify: Identify, routes: Routes | None = None) -> None:
        self.app = app
        self._osler = osler
        self._identify = identify
        self._routes = checked_routes(routes or {})
        self._clients = _ClientNames()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the host; then, whatever came of it, note the request."""
        if scope["type"] != "http":
            await self.app(scope, self._closing(receive) if scope["type"] == "lifespan" else receive, send)
            return
        details = Details()
        # A new dict: some servers hand the same one to every request, and details are this request's alone.
        scope["state"] = {**(scope.get("state") or {}), "osler": details}
        request = _Request(scope, details, clock.monotonic_seconds())

        def watching(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            elif not message.get("more_body") and request.status is not None and not request.is_noted:
                return self._ending(request, send, message)
            return send(message)

        otherwise = 500
        try:
            await self.app(scope, receive, watching)
        except asyncio.CancelledError:
            otherwise = _CLIENT_WENT_AWAY
            raise
        finally:
            if not request.is_noted and (waiting := self._note(request, otherwise)) is not None:
                await waiting

    async def _ending(self, request: _Request, send: Send, message: Message) -> None:
        """The last part of the answer. Noted here: background tasks, which no client waits for, have yet to run."""
        request.is_noted = True
        try:
            await send(message)
        finally:
            if (waiting := self._note(request)) is not None:
                await waiting

    def _closing(self, receive: Receive) -> Receive:
        """Before the host closes its own things: a sink in the same process needs the host's database."""

        async def watching() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                try:
                    await asyncio.to_thread(self._osler.close)
                except Exception as error:  # noqa: BLE001 (the host shuts down, whatever is wrong with tracking)
                    log.warning("osler: tracking did not close (%s)", type(error).__name__)
            return message

        return watching

    def _note(self, request: _Request, otherwise: int = 500) -> Awaitable[None] | None:
        """Note the request at once; where `identify` has to wait for something, what does it then."""
        request.ended = clock.monotonic_seconds()
        if request.status is None:
            request.status = otherwise
        try:
            if is_untracked(request.scope["path"]):
                return None
            found: Any = self._identify(request.scope)
            if asyncio.iscoroutine(found):
                found = begun(found)
            if found is not None and not isinstance(found, str) and inspect.isawaitable(found):
                return self._note_later(request, found)
        except Exception:  # noqa: BLE001 (the host's own function; its faults are counted, not passed on)
            self._osler.refuse("identify", "api_request")
            return None
        if found is not None:
            self._leave(request, request.status, found)
        return None

    async def _note_later(self, request: _Request, found: Awaitable[str | None]) -> None:
        try:
            subject = await within(self._osler.options.identify_seconds, found)
        except Exception:  # noqa: BLE001 (as above)
            self._osler.refuse("identify", "api_request")
            return
        if subject is not None and request.status is not None:
            self._leave(request, request.status, subject)

    def _leave(self, request: _Request, status: int, subject: str) -> None:
        """Who it was is known: the request, and the event that it means."""
        osler, scope = self._osler, request.scope
        try:
            if clock.monotonic_seconds() - request.ended > osler.options.identify_seconds:
                osler.refuse("identify", "api_request")
                return
            template, method, client = route_template(scope), scope["method"], self._clients.of(scope["headers"])
            seconds = request.ended - request.started
            osler.request(subject, template=template, method=method, status=status, seconds=seconds, client=client)
            if self._routes and status < _FAILED and (mapped := self._routes.get((method, template))) is not None:
                data = mapped.data(scope.get("path_params", {}), request.details.fields)
                osler.track_nowait(mapped.event_type, user=subject, data=data)
        except Exception:  # noqa: BLE001 (whatever is wrong with tracking, the host's answer stands)
            osler.refuse("middleware", "api_request")


def is_untracked(path: str) -> bool:
    """Health checks, metrics, static files: by the first segment, so that `/ready-quiz` is tracked."""
    return path.lstrip("/").partition("/")[0] in UNTRACKED


class _ClientNames:
    """The browser's name of each user agent that came by, found by its hash: the agent itself is not kept."""

    MOST = 10_000

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def of(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The name out of the closed list."""
        agent = b""
        for name, value in headers:
            if name == b"user-agent":
                agent = value
                break
        key = hash(agent)
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= self.MOST:
                self._names.clear()
            name = client_name(sanitize_user_agent(agent.decode("latin-1")))
            self._names[key] = name
        return name
