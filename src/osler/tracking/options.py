"""What may be set about tracking inside a host, with the limits that it promises."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from osler.errors import Misconfigured

MIB = 1024 * 1024


def _default_spool() -> Path:
    home = os.environ.get("OSLER_HOME")
    return Path(home) / "spool" if home else Path(tempfile.gettempdir()) / f"osler-spool-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """Limits of the queue and the sender. The defaults are the promise of the documentation; tests use smaller ones."""

    spool: Path = field(default_factory=_default_spool)
    memory_events: int = 10_000
    flush_seconds: float = 0.2
    flush_events: int = 256
    segment_bytes: int = 4 * MIB
    spool_bytes: int = 256 * MIB
    spool_days: float = 30.0
    batch_events: int = 500
    batch_bytes: int = MIB
    connect_seconds: float = 1.0
    total_seconds: float = 5.0
    backoff_first_seconds: float = 1.0
    backoff_most_seconds: float = 300.0
    circuit_failures: int = 5
    shutdown_seconds: float = 2.0
    identify_seconds: float = 0.05


def required_environment(name: str) -> str:
    """An environment variable that tracking cannot do without.

    Errors: Misconfigured, saying what the variable is for.
    """
    purposes = {
        "OSLER_URL": "the address of your Osler, such as https://osler.example",
        "OSLER_TOKEN": "a token with the scope events:write:any (osler token --role service_ingest)",
    }
    value = os.environ.get(name)
    if not value:
        raise Misconfigured(f"{name} is not set: {purposes[name]}", code="settings.missing", params={"name": name})
    return value
