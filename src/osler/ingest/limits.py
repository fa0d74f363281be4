"""Every limit of ingestion with its value, once; `GET /api/events/limits` answers this very table."""

from __future__ import annotations

from typing import Any

from osler.domain import clock_rules
from osler.domain.event_types import EVENT_TYPES
from osler.errors import TooLarge

MAX_EVENTS = 1_000
MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_RATIO = 100
MAX_EVENT_BYTES = 16 * 1024
MAX_DEPTH = 16
MAX_KEYS = 200
MAX_LEARNERS = 200
IMPORT_YEARS = 20
FUTURE_HOURS = 24
BUCKET_EVENTS = 20_000
BUCKET_REFILL_PER_SECOND = 10
LEARNERS_AN_ADDRESS = 50
"""One address may send what so many learners may: a campus shares one."""
RECEIPT_MAX_DAYS = 62
BODY_SECONDS = 30
ENCODINGS = ("gzip", "zstd")


class BatchTooLarge(TooLarge):
    """More than a stated limit; the limits stand in the answer."""

    default_code = "batch.too_large"

    @property
    def problem_members(self) -> dict[str, Any]:
        """What the problem document shows beside its sentence."""
        return {"limits": {"events": MAX_EVENTS, "bytes": MAX_BODY_BYTES, "learners": MAX_LEARNERS}}


def limits_document(*, server_time: str, retention_months: int) -> dict[str, Any]:
    """What a client needs to stay within bounds."""
    return {
        "server_time": server_time,
        "batch": {
            "events": MAX_EVENTS,
            "bytes": MAX_BODY_BYTES,
            "learners": MAX_LEARNERS,
            "encodings": list(ENCODINGS),
        },
        "compression": {"ratio": MAX_RATIO, "layers": 1},
        "event": {"bytes": MAX_EVENT_BYTES, "depth": MAX_DEPTH, "keys": MAX_KEYS},
        "clock": {
            "id_tolerance_ms": clock_rules.ID_TOLERANCE_MS,
            "skew_tolerated_seconds": clock_rules.SKEW_TOLERATED_US // clock_rules.SECOND_US,
            "skew_limit_seconds": clock_rules.SKEW_LIMIT_US // clock_rules.SECOND_US,
            "future_hours": FUTURE_HOURS,
            "ahead_warning_seconds": clock_rules.AHEAD_LIMIT_US // clock_rules.SECOND_US,
            "late_warning_days": clock_rules.LATE_AFTER_US // clock_rules.DAY_US,
            "retention_months": retention_months,
        },
        "rate": {"bucket_events": BUCKET_EVENTS, "refill_per_second": BUCKET_REFILL_PER_SECOND},
        "schemas": {
            name: {"versions": [v for v in (kind.version - 1, kind.version) if v >= 1], "sender": kind.sender.value}
            for name, kind in EVENT_TYPES.items()
        },
    }
