"""Where batches go, and the one answer that comes back whatever the way: an Osler over HTTP or in the same process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec


class Verdict(msgspec.Struct):
    """What Osler said of one event."""

    index: int
    status: str
    id: str | None = None
    code: str | None = None
    retry_after_seconds: float | None = None


class _Answer(msgspec.Struct):
    results: list[Verdict]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one batch: an HTTP status, the verdicts, how long to wait if it says.

    The status is 0 when there was none; `why` says then what went wrong, in words that hold nothing of the batch.
    """

    status: int
    verdicts: Mapping[int, Verdict] = field(default_factory=dict[int, Verdict])
    retry_after_seconds: float | None = None
    why: str = ""


class Sink(Protocol):
    """Sends one batch at a time and waits for its answer. Called from the sender's thread; must not raise.

    `name` says which Osler it is: what waits on disk for one is never sent to another.
    """

    @property
    def name(self) -> str:
        """Which Osler it is."""
        ...

    def send(self, body: bytes) -> Reply:
        """Send the envelope. A reply of status 0 means that nobody answered."""
        ...

    def interrupt(self) -> None:
        """From another thread: end a `send` that is under way, with a reply of status 0."""
        ...

    def close(self) -> None:
        """Let go of connections; a later `send` opens them again."""
        ...

    def abandon(self) -> None:
        """In a forked child: forget connections without touching them, they are the parent's."""
        ...


def parse_reply(status: int, body: bytes, wait: float | None = None) -> Reply:
    """A reply out of what came back, with the seconds to wait if it says.

    HTML, cut JSON and missing results leave their events without a verdict.
    """
    if status != 200:
        return Reply(status, retry_after_seconds=wait)
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Reply(status, retry_after_seconds=wait)
    return Reply(status, {verdict.index: _with_sane_wait(verdict) for verdict in answer.results}, wait)


def asked_wait(retry_after: str | None, now: datetime) -> float | None:
    """Seconds out of a `Retry-After`, which holds a number of them or a date (RFC 9110); None out of anything else."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  (few answers hold a date; a start need not pay)

    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until - now).total_seconds()) if until.tzinfo is not None else None


def _with_sane_wait(verdict: Verdict) -> Verdict:
    seconds = verdict.retry_after_seconds
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        verdict.retry_after_seconds = None
    return verdict
