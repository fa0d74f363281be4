"""The only reader of the time: everything else takes it as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Seconds on a clock that never goes back; for durations only."""
    return time.monotonic()


def thread_seconds() -> float:
    """Processor time of the calling thread; for how much of the machine something took."""
    return time.thread_time()


def unix_ms() -> int:
    """Milliseconds since 1970 as an integer: what a UUIDv7 is made from."""
    return time.time_ns() // 1_000_000


def pause(seconds: float) -> None:
    """Let time pass in a thread that has nothing else to do; never on an event loop."""
    time.sleep(seconds)
