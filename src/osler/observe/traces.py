"""Spans of requests, jobs and statements, sent over OTLP where an endpoint is set: names and codes, nobody's data.

Without an endpoint a span costs next to nothing and the packages of the extra `otlp` are not imported.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import structlog

from osler import __version__, clock
from osler.errors import Misconfigured
from osler.observe import metrics
from osler.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Tracer

ATTRIBUTES = frozenset(
    {
        "http.request.method", "http.route", "http.response.status_code", "osler.request_id", "osler.job_name",
        "osler.period", "osler.status", "db.system.name", "db.query.summary",
    }
)  # fmt: skip
"""What a span may say. Every value is from a closed list of ours or made by us: no path, no text of a statement."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

QUEUE_SPANS = 2_048
SEND_SECONDS = 2.0
GIVE_UP_SECONDS = 5.0
LEAVE_SECONDS = 2.0
PATH = "/v1/traces"
PACKAGES = ("google.protobuf", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

_tracer: Tracer | None = None
_log: Any = structlog.get_logger("osler.traces")


class Span(AbstractContextManager["Span"]):
    """Something that takes time. This one is what is used while no endpoint is set: it tells nobody."""

    __slots__ = ()

    def note(self, attribute: str, value: str | int) -> None:
        """Say something about it; `attribute` is one of `ATTRIBUTES`."""

    def call(self, name: str) -> None:
        """Give it another name."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""


class _Sent(Span):
    """A span that is sent. An error leaves its kind alone: a message may quote a value."""

    __slots__ = ("_active", "_span")

    def __init__(self, tracer: Tracer, name: str) -> None:
        self._span = tracer.start_span(name, record_exception=False, set_status_on_exception=False)

    def __enter__(self) -> Self:
        from opentelemetry.trace import use_span  # noqa: PLC0415  (in the optional extra)

        self._active = use_span(self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False)
        self._active.__enter__()
        return self

    def note(self, attribute: str, value: str | int) -> None:
        if attribute in ATTRIBUTES:
            self._span.set_attribute(attribute, value)

    def call(self, name: str) -> None:
        self._span.update_name(name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415  (in the optional extra)

        if kind is not None:
            self._span.set_status(StatusCode.ERROR, kind.__name__)
        self._active.__exit__(None, None, None)
        self._span.end()


_QUIET = Span()


def span(name: str) -> Span:
    """A span for a `with` block; what begins inside the block belongs to it."""
    return _QUIET if _tracer is None else _Sent(_tracer, name)


def request_ended(span: Span, method: str, route: str, status: int, request_id: str) -> None:
    """What a request turned out to be; `route` is the template, never the path."""
    if span is _QUIET:
        return
    known = method if method in METHODS else "_OTHER"
    span.call(f"{known} {route}")
    for attribute, value in (
        ("http.request.method", known), ("http.route", route), ("http.response.status_code", status),
        ("osler.request_id", request_id),
    ):  # fmt: skip
        span.note(attribute, value)


def statement_ended(name: str, seconds: float) -> None:
    """A statement that has just ended, told inside the span that it belongs to; outside of one it is not told."""
    if _tracer is None:
        return
    from opentelemetry.trace import SpanKind, get_current_span  # noqa: PLC0415  (in the optional extra)

    if get_current_span().is_recording():
        end = round(clock.now().timestamp() * 1e9)
        said = {"db.system.name": "postgresql", "db.query.summary": name}
        begin = end - round(seconds * 1e9)
        _tracer.start_span(f"sql {name}", kind=SpanKind.CLIENT, attributes=said, start_time=begin).end(end)


@contextmanager
def tracing(settings: Settings, role: str) -> Generator[None]:
    """Send spans while the block runs, when OSLER_OTLP_ENDPOINT is set; `role` is serve, worker or scheduler.

    What waits at the end is given two seconds. A collector that is away or hangs costs spans, never a request: the
    queue is bounded, and a thread of its own sends. Errors: Misconfigured without the packages of the extra.
    """
    global _tracer  # noqa: PLW0603  (one destination for the whole process, as the library itself has it)
    if settings.otlp_endpoint is None:
        yield
        return
    require_packages(settings)
    _tracer, close = _opened(settings.otlp_endpoint, role)
    try:
        yield
    finally:
        _tracer = None
        leaving = threading.Thread(target=close, daemon=True)
        leaving.start()
        leaving.join(LEAVE_SECONDS)


def require_packages(settings: Settings) -> None:
    """Errors: Misconfigured when an endpoint is set and the packages of the extra are not installed."""
    if settings.otlp_endpoint is None or all(find_spec(name) for name in PACKAGES):
        return
    raise Misconfigured(
        "OSLER_OTLP_ENDPOINT is set, but the packages that send traces are not installed: "
        "install osler[server,otlp], or unset it",
        code="traces.packages",
    )


def _opened(endpoint: str, role: str) -> tuple[Tracer, Any]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  (optional)
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  (optional)
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  (optional)
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  (optional)

    # What goes wrong there is told once by us, and counted; its own lines name addresses.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    said = {"service.name": "osler", "service.version": __version__, "osler.role": role}
    provider = TracerProvider(resource=Resource.create(said), shutdown_on_exit=False)
    exporter = _counted(OTLPSpanExporter(endpoint=traces_url(endpoint), timeout=GIVE_UP_SECONDS))
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS, schedule_delay_millis=SEND_SECONDS * 1000)
    )
    return provider.get_tracer("osler", __version__), provider.shutdown


def traces_url(endpoint: str) -> str:
    """The address that spans are posted to: the endpoint's own path, else the one that OTLP names."""
    return endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + PATH


def _counted(exporter: SpanExporter) -> SpanExporter:
    """The exporter, with its results counted, and a line in the log whenever they change."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: PLC0415  (optional)

    class Counted(SpanExporter):
        """Passes on, counts, tells of changes."""

        is_taken = True

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            """Send a batch."""
            result = exporter.export(spans)
            is_taken = result is SpanExportResult.SUCCESS
            metrics.trace_spans.labels("sent" if is_taken else "failed").inc(len(spans))
            if is_taken != self.is_taken:
                self.is_taken = is_taken
                _log.warning("traces.taken_again" if is_taken else "traces.not_taken", n=len(spans))
            return result

        def shutdown(self) -> None:
            """Stop."""
            exporter.shutdown()

    return Counted()
