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
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from osler import clock
from osler.domain.privacy import sanitize_user_agent
from osler.tracking.checking import client_name
from osler.tracking.client import Osler
from osler.tracking.first_step import within
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

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def set(self, **fields: Any) -> None:
        """Add fields to the event that this request's route is mapped to."""
        self.fields.update(fields)


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
        if scope["type"] == "lifespan":
            await self.app(scope, self._closing(receive), send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        details = Details()
        # A new dict: some servers hand the same one to every request, and details are this request's alone.
        scope["state"] = {**scope.get("state", {}), "osler": details}
        status: int | None = None
        is_noted = False
        started = clock.monotonic_seconds()

        async def ending(message: Message, status: int) -> None:
            # Here and not at the end: background tasks, which the client does not wait for, have yet to run.
            try:
                await send(message)
            finally:
                await self._note(scope, status, started, details)

        def watching(message: Message) -> Awaitable[None]:
            nonlocal status, is_noted
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status is not None and not is_noted and not message.get("more_body"):
                is_noted = True
                return ending(message, status)
            return send(message)

        otherwise = 500
        try:
            await self.app(scope, receive, watching)
        except asyncio.CancelledError:
            otherwise = _CLIENT_WENT_AWAY
            raise
        finally:
            if not is_noted:
                await self._note(scope, otherwise if status is None else status, started, details)

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

    async def _note(self, scope: Scope, status: int, started: float, details: Details) -> None:
        ended = clock.monotonic_seconds()
        try:
            if is_untracked(scope["path"]):
                return
            subject = await self._subject(scope, ended)
            if subject is None:
                return
            template, method = route_template(scope), scope["method"]
            client = self._clients.of(_agent(scope["headers"]))
            self._osler.request(
                subject, template=template, method=method, status=status, seconds=ended - started, client=client
            )
            if self._routes and status < _FAILED and (mapped := self._routes.get((method, template))) is not None:
                data = mapped.data(scope.get("path_params", {}), details.fields)
                self._osler.track_nowait(mapped.event_type, user=subject, data=data)
        except Exception:  # noqa: BLE001 (whatever is wrong with tracking, the host's answer stands)
            self._osler.refuse("middleware", "api_request")

    async def _subject(self, scope: Scope, began: float) -> str | None:
        """Who it was; None for nobody, and for an `identify` that failed or took too long."""
        limit = self._osler.options.identify_seconds
        try:
            found = self._identify(scope)
            if not isinstance(found, str) and inspect.isawaitable(found):
                found = await within(limit, found)
        except Exception:  # noqa: BLE001 (the host's own function; its faults are counted, not passed on)
            self._osler.refuse("identify", "api_request")
            return None
        if clock.monotonic_seconds() - began > limit:
            self._osler.refuse("identify", "api_request")
            return None
        return found


def is_untracked(path: str) -> bool:
    """Health checks, metrics, static files: by the first segment, so that `/ready-quiz` is tracked."""
    return path.lstrip("/").partition("/")[0] in UNTRACKED


def _agent(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == b"user-agent":
            return value
    return b""


class _ClientNames:
    """The browser's name of each user agent that came by, found by its hash: the agent itself is not kept."""

    MOST = 10_000

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def of(self, agent: bytes) -> str:
        """The name out of the closed list."""
        key = hash(agent)
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= self.MOST:
                self._names.clear()
            name = client_name(sanitize_user_agent(agent.decode("latin-1")))
            self._names[key] = name
        return name
