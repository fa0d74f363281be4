"""The event service: `track` from a handler, `track_nowait` from anywhere. It never raises into the host."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import msgspec

from osler import clock
from osler.domain.event_types import EVENT_TYPES
from osler.domain.event_types import Sender as WhoSends
from osler.domain.identity import new_event_id
from osler.tracking.options import TrackingOptions, required_environment
from osler.tracking.sender import Counts, Sender
from osler.tracking.sinks import HttpSink, Sink

log = logging.getLogger("osler.tracking")
_encode = msgspec.json.Encoder().encode
_SERVER_ONLY = frozenset(name for name, kind in EVENT_TYPES.items() if kind.sender is WhoSends.SERVER)


class Osler:
    """Sends what learners do. One for each process; open it at start-up, `close` it at shutdown.

    `key` turns the host's subjects into Osler's pseudonyms; the same key gives the same learner everywhere, and
    without it nobody can tell which subject a pseudonym was.
    """

    def __init__(self, sink: Sink, key: bytes, options: TrackingOptions | None = None) -> None:
        self.options = options or TrackingOptions()
        self.refused: Counter[str] = Counter()
        self._key = key
        self._sender = Sender(sink, self.options)

    @classmethod
    def from_env(cls, options: TrackingOptions | None = None) -> Self:
        """Tracking against a remote Osler: OSLER_URL, OSLER_TOKEN, OSLER_TRACKING_KEY.

        Errors: Misconfigured at start-up, naming the variable that is missing.
        """
        chosen = options or TrackingOptions()
        url, token = required_environment("OSLER_URL"), required_environment("OSLER_TOKEN")
        key = os.environ.get("OSLER_TRACKING_KEY") or token
        sink = HttpSink(url, token, connect_seconds=chosen.connect_seconds, total_seconds=chosen.total_seconds)
        osler = cls(sink, key.encode(), chosen)
        osler.start()
        return osler

    def start(self) -> None:
        """Begin to send what an earlier process left behind."""
        self._sender.start()

    def pseudonym(self, subject: str) -> UUID:
        """The learner's pseudonym: a keyed hash (HMAC-SHA256) in the form of a random UUID."""
        digest = hmac.digest(self._key, subject.encode(), hashlib.sha256)
        return UUID(bytes=digest[:16], version=4)

    def track_nowait(
        self,
        event_type: str,
        *,
        user: str,
        data: Mapping[str, Any],
        at: datetime | None = None,
        tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """Queue one event of the learner behind the host's subject `user`. Only memory is touched.

        False, counted in `refused` and logged, when the event does not fit its schema: a mistake in the host's code,
        never a reason to break a request.
        """
        built = self._build(event_type, user, data, at=at, tz=tz, session_id=session_id)
        if built is None:
            return False
        self._sender.put(event_type, *built)
        return True

    async def track(
        self,
        event_type: str,
        *,
        user: str,
        data: Mapping[str, Any],
        at: datetime | None = None,
        tz: str | None = None,
        session_id: str | None = None,
        durable: bool = False,
    ) -> bool:
        """As `track_nowait`; with `durable` it returns after the event has been fsynced, False if it could not be."""
        if not durable:
            return self.track_nowait(event_type, user=user, data=data, at=at, tz=tz, session_id=session_id)
        built = self._build(event_type, user, data, at=at, tz=tz, session_id=session_id)
        if built is None:
            return False
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        self._sender.put(event_type, *built, waiter=lambda ok: _tell_later(loop, written, ok))
        return await written

    async def flush(self, timeout_seconds: float = 2.0) -> bool:
        """Wait until Osler has answered everything queued so far. False when the time ran out."""
        return await asyncio.to_thread(self._sender.wait_until_sent, timeout_seconds)

    def close(self) -> None:
        """At shutdown: send for at most two seconds; the rest stays on disk for the next start."""
        self._sender.close()

    @property
    def counts(self) -> Counts:
        """What has been delivered, dropped and lost so far."""
        return self._sender.counts

    def _build(
        self,
        event_type: str,
        user: str,
        data: Mapping[str, Any],
        *,
        at: datetime | None,
        tz: str | None,
        session_id: str | None,
    ) -> tuple[str, bytes] | None:
        fault = self._fault(event_type, user, data)
        if fault is not None:
            self.refuse(fault, event_type)
            return None
        happened = at or clock.now()
        user_id = str(self.pseudonym(user))
        event: dict[str, Any] = {
            "id": str(new_event_id(_unix_ms(happened))),
            "type": event_type,
            "schema": EVENT_TYPES[event_type].version,
            "occurred_at": _wire_time(happened),
            "user_id": user_id,
            "data": data,
        }
        if tz is not None:
            event["tz"] = tz
        if session_id is not None:
            event["session_id"] = session_id
        try:
            return user_id, _encode(event)
        except (TypeError, ValueError, OverflowError, UnicodeEncodeError):
            self.refuse("schema", event_type)
            return None

    def _fault(self, event_type: str, user: str, data: Mapping[str, Any]) -> str | None:
        kind = EVENT_TYPES.get(event_type)
        if kind is None or event_type in _SERVER_ONLY:
            return "type"
        if not user or "@" in user:
            return "subject"
        try:
            msgspec.convert(data, kind.data, strict=True)
        except (msgspec.ValidationError, TypeError):
            return "schema"
        return None

    def refuse(self, reason: str, event_type: str) -> None:
        """Count an event that was not even queued; the log names type and reason, never a value."""
        self.refused[reason] += 1
        if self.refused[reason] == 1:
            log.warning("osler: an event of type %s was not tracked (%s); more are only counted", event_type, reason)


def _tell_later(loop: asyncio.AbstractEventLoop, future: asyncio.Future[bool], is_written: bool) -> None:
    """From the sender's thread into the host's loop; a loop that has closed meanwhile has nobody waiting."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_tell, future, is_written)


def _tell(future: asyncio.Future[bool], is_written: bool) -> None:
    if not future.done():
        future.set_result(is_written)


def _unix_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _wire_time(at: datetime) -> str:
    """RFC 3339 in milliseconds. UTC is written `Z`, which says that the learner's own offset is not known."""
    text = at.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if at.tzinfo is UTC else text
