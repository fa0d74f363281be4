"""What may be set about tracking inside a host, with the limits that it promises."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from osler.errors import Misconfigured

MIB = 1024 * 1024

CLIENT_VARIABLES = frozenset({"OSLER_URL", "OSLER_TOKEN", "OSLER_TOKEN_FILE", "OSLER_CA_FILE", "OSLER_TRACKING_KEY"})
"""What an application that is tracked has in its environment; none is a setting of Osler itself."""

_PURPOSES = {
    "OSLER_URL": "the address of your Osler, such as https://osler.example",
    "OSLER_TOKEN": "a token with the scope events:write:any, or OSLER_TOKEN_FILE with a file that holds one",
    "OSLER_TRACKING_KEY": "a long random text that turns your subjects into pseudonyms; keep it for ever, because "
    "with another key every learner is a new one",
}


def _default_spool() -> Path:
    """A place that a restart of the machine does not empty, as a temporary folder would be."""
    home = os.environ.get("OSLER_HOME")
    if home:
        return Path(home) / "spool"
    state = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "osler" / "spool"
    except RuntimeError as error:  # a container's user may have no entry and no HOME
        text = "OSLER_HOME is not set, and this user has no home: set it to a folder that outlives a restart"
        raise Misconfigured(text) from error


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """Limits of the queue and the sender. The defaults are the promise of the documentation; tests use smaller ones.

    `send_seconds` is the least time between two batches that are not full: the first event after a quiet time is sent
    at once, steady traffic once a second, because each exchange takes the interpreter from the host for a moment.
    `absent_most_seconds` bounds the wait while nobody answers at all: asking is cheap then, and a backlog should not
    wait five minutes after Osler has come back. `backoff_most_seconds` bounds it while Osler answers with errors.
    """

    spool: Path = field(default_factory=_default_spool)
    memory_events: int = 10_000
    flush_seconds: float = 0.2
    flush_events: int = 256
    send_seconds: float = 1.0
    segment_bytes: int = 4 * MIB
    spool_bytes: int = 256 * MIB
    spool_days: float = 30.0
    batch_events: int = 500
    batch_bytes: int = MIB
    batch_learners: int = 200
    connect_seconds: float = 1.0
    total_seconds: float = 5.0
    backoff_first_seconds: float = 1.0
    backoff_most_seconds: float = 300.0
    absent_most_seconds: float = 30.0
    circuit_failures: int = 5
    adopt_seconds: float = 30.0
    shutdown_seconds: float = 2.0
    identify_seconds: float = 0.05


def required_environment(name: str) -> str:
    """An environment variable that tracking cannot do without.

    Errors: Misconfigured, saying what the variable is for.
    """
    value = os.environ.get(name)
    if not value:
        raise Misconfigured(f"{name} is not set: {_PURPOSES[name]}", code="settings.missing", params={"name": name})
    return value
