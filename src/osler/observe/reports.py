"""Where unforeseen errors go: a line in the log, and Sentry where a DSN is set, without a word of anybody's data."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog

from osler import __version__
from osler.observe.redaction import redacted
from osler.settings import Settings

TAKEN_OUT = (
    "request", "user", "breadcrumbs", "extra", "contexts", "server_name", "modules", "logentry", "message",
)  # fmt: skip

_capture: Callable[[BaseException], object] | None = None
_log: Any = structlog.get_logger("osler.errors")


def configure_reports(settings: Settings, transport: Any = None) -> None:
    """Start reporting when a DSN is set; silent without one. `transport` is for tests."""
    global _capture  # noqa: PLW0603  (one destination for the whole process, as the library itself has it)
    if settings.sentry_dsn is None:
        return
    import sentry_sdk  # noqa: PLC0415  (a tenth of the start, for those who have a DSN)

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=f"osler@{__version__}",
        environment=settings.profile.value,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        before_send=cast("Any", scrubbed),
        transport=transport,
    )
    _capture = sentry_sdk.capture_exception


def report(error: BaseException, scope: Mapping[str, Any]) -> None:
    """Note an error that nobody foresaw: its kind and place, the route and the request's id; never its message."""
    place = traceback.extract_tb(error.__traceback__)
    where = f"{place[-1].filename.rpartition('/osler/')[2]}:{place[-1].lineno}" if place else "?"
    _log.error(
        "unforeseen",
        error=type(error).__name__,
        where=where,
        route=str(getattr(scope.get("route"), "path", "other")),
        method=str(scope.get("method", "")),
        request_id=str(scope.get("state", {}).get("request_id", "")),
    )
    if _capture is not None:
        _capture(error)


def scrubbed(event: dict[str, Any], _hint: Mapping[str, Any]) -> dict[str, Any]:
    """What of a report is sent: kinds and places of errors. Messages, requests, users, variables are taken out."""
    for name in TAKEN_OUT:
        event.pop(name, None)
    for raised in event.get("exception", {}).get("values", []):
        # A message may quote a value: of ours the codes are enough, of others the kind is.
        raised["value"] = redacted(str(raised.get("type", "")))
        stack = cast("dict[str, list[dict[str, Any]]]", raised.get("stacktrace") or {})
        frames = stack.get("frames", [])
        for frame in frames:
            for name in ("vars", "pre_context", "context_line", "post_context"):
                frame.pop(name, None)
    return event
