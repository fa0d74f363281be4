"""How log lines are written: one JSON object a line, keys from a list, nothing that names a person."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

from osler.observe.keys import secret_key
from osler.observe.redaction import processor
from osler.settings import Settings

LOG_KEY = "logs"
current_request: ContextVar[str] = ContextVar("current_request")
"""The id of the request that is being served: it stands in every line that is written meanwhile."""

LIBRARIES = (
    "httpx", "httpcore", "asyncio", "sqlalchemy", "alembic", "apscheduler", "celery", "_granian", "granian",
)  # fmt: skip


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send our lines and those of libraries through the same steps; called once, by each command that serves."""
    out = stream or sys.stderr
    as_json = settings.log_json if settings.log_json is not None else not out.isatty()
    last = processor(secret_key(settings.home, LOG_KEY))
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_request,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Libraries speak up from warnings on; what they say of requests and statements could quote them.
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _add_request(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request_id = current_request.get(None)
    if request_id is not None:
        fields.setdefault("request_id", request_id)
    return fields
