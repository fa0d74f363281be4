"""The outermost layer of a request: an id, checks that need no route, safe headers on every answer, and its time."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from osler import clock
from osler.errors import NotAcceptable, OslerError, TooLarge, UnreadableSource, UnsupportedMedia
from osler.http.problems import problem_of
from osler.observe import metrics, traces
from osler.observe.logs import current_request

MAX_BODY_BYTES = 5_242_880
API_PREFIX = "/api"
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
SPOKEN = frozenset({"*/*", "application/*", "application/json", "application/problem+json", "application/x-ndjson"})
USUAL_ACCEPT = frozenset({b"*/*", b"application/json"})
"""What nearly every client sends, so that it need not be read."""
PAGES = frozenset({"/api/docs", "/api/docs.css"})

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; img-src 'self' data:",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# As they go over the wire, once: a case-insensitive look through all headers for each of them costs more than a route.
_ALWAYS = [
    (name.lower().encode(), value.encode()) for name, value in {**SECURITY_HEADERS, "Cache-Control": "no-store"}.items()
]

_REQUEST_ID = b"x-request-id"
# granian names itself where the application names nothing; an empty value is as near to none as it lets us.
_SERVER = (b"server", b"")
_OURS = frozenset({_REQUEST_ID, _SERVER[0]})

Report = Callable[[BaseException, Scope], None]


class Edge:
    """ASGI middleware. `report` is told of every exception that nobody foresaw; its answer is a bare 500."""

    def __init__(self, app: ASGIApp, report: Report | None = None) -> None:
        self._app = app
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever happens, an answer with an id and safe headers goes out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        current_request.set(request_id)
        answer = _Answer(send, request_id)
        began = clock.monotonic_seconds()
        with traces.span("request") as span:
            try:
                await self._serve(scope, receive, answer)
            finally:
                route, status = _route_of(scope), answer.status or 500
                metrics.count_http(route, status, clock.monotonic_seconds() - began)
                traces.request_ended(span, scope["method"], metrics.routes.name(route), status, request_id)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            check_request(scope)
            await self._app(scope, _bounded(receive), answer.send)
        except Exception as error:  # noqa: BLE001  (the last place that can answer; it is reported, never swallowed)
            if self._report is not None and not isinstance(error, OslerError):
                self._report(error, scope)
            if answer.status is None:
                await problem_of(error, answer.request_id)(scope, receive, answer.send)


class _Answer:
    """Adds the headers to the first message of the answer and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = [pair for pair in message["headers"] if pair[0] not in _OURS]
            names = {name for name, _ in given}
            message["headers"] = [
                *given,
                *(pair for pair in _ALWAYS if pair[0] not in names),
                (_REQUEST_ID, self.request_id.encode()),
                _SERVER,
            ]
        await self._send(message)


def check_request(scope: Scope) -> None:
    """What every request must satisfy before a route is looked for.

    Errors: UnreadableSource for a repeated query field or a path that two parsers could read differently;
    NotAcceptable for a caller who takes no JSON; UnsupportedMedia for a body that is not JSON; TooLarge for a body over
    the limit.
    """
    raw_path = bytes(scope.get("raw_path") or scope["path"].encode()).lower()
    if b"%2f" in raw_path or b"%5c" in raw_path or b"%00" in raw_path or b"/../" in raw_path + b"/":
        raise UnreadableSource("The path has to be written plainly.", code="request.path")
    query = scope.get("query_string", b"")
    if query:
        _check_query(query)
    if not scope["path"].startswith(API_PREFIX):
        return
    accepted = [value for name, value in scope["headers"] if name == b"accept" and value not in USUAL_ACCEPT]
    if accepted and scope["path"] not in PAGES and not _takes_json(b",".join(accepted).decode("latin-1")):
        raise NotAcceptable("Only JSON is served here.")
    if scope["method"] in METHODS_WITH_BODY:
        _check_body_headers(Headers(scope=scope))


def _check_query(query: bytes) -> None:
    try:
        names = [
            name
            for name, _ in parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
        ]
    except ValueError as error:
        raise UnreadableSource("The query cannot be read.", code="request.query") from error
    if len(names) != len(set(names)):
        raise UnreadableSource("A query field may stand once.", code="request.query_repeated")


def _takes_json(accepted: str) -> bool:
    """Whether a media range of an `Accept` header covers JSON, and is not refused by `q=0` (RFC 9110, 12.5.1)."""
    for each in accepted.lower().split(","):
        media, *parameters = (part.strip() for part in each.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
        if media in SPOKEN and not refused:
            return True
    return not accepted.strip(", ")


def _check_body_headers(headers: Headers) -> None:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BODY_BYTES:
        raise TooLarge("The body is over the limit.", params={"bytes": MAX_BODY_BYTES})
    has_body = length not in {"", "0"} or "transfer-encoding" in headers
    if has_body and headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("The body has to be application/json.")


def _bounded(receive: Receive) -> Callable[[], Awaitable[Message]]:
    """`receive`, which gives up once the body passes the limit, however its length was declared."""
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > MAX_BODY_BYTES:
                # Not our own error: the framework's body parser lets only its own kind through unchanged.
                raise HTTPException(413)
        return message

    return bounded


def _route_of(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", metrics.OTHER))
