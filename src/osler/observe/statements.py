"""What is noted of each statement: its time, a line when it was slow, and a span where traces are on."""

from __future__ import annotations

from typing import Any

import structlog

from osler.observe import metrics, traces

SLOW_SECONDS = 1.0
BY_DESIGN = (metrics.LONG, "jobs.")

_log: Any = structlog.get_logger("osler.statements")


def note_statement(name: str | None, seconds: float) -> None:
    """A statement ended; the shape that `Database.on_query` takes. Its text and its parameters are told nowhere."""
    metrics.count_query(name, seconds)
    traces.statement_ended(name or metrics.OTHER, seconds)
    if seconds > SLOW_SECONDS and not (name or "").startswith(BY_DESIGN):
        _log.warning("statement.slow", query=name or metrics.OTHER, seconds=round(seconds, 2))
