"""The event service: `track` from a handler, `track_nowait` from anywhere. It never raises into the host."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import hashlib
import hmac
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID
from weakref import WeakSet

from osler import clock
from osler.domain.event_types import EVENT_TYPES
from osler.tracking.checking import METHODS, are_usable, is_usable_time, lacking, rounded
from osler.tracking.events import Events
from osler.tracking.http_sink import HttpSink, token_in
from osler.tracking.noted import Noted, Pseudonyms, Requested, as_uuid, beside, checked, unix_ms, wire_time
from osler.tracking.options import TrackingOptions, required_environment
from osler.tracking.recorder import Counts
from osler.tracking.sender import Sender
from osler.tracking.sinks import Sink

log = logging.getLogger("osler.tracking")


class Osler:
    """Sends what learners do. One for each process; `close` it at shutdown (the middleware does).

    `key` turns the host's subjects into Osler's pseudonyms; the same key gives the same learner everywhere, and
    without it nobody can tell which subject a pseudonym was. `events` has a typed function for each event type.
    """

    def __init__(self, sink: Sink, key: bytes, options: TrackingOptions | None = None) -> None:
        self.options = options or TrackingOptions()
        self.refused: Counter[str] = Counter()
        self._told: set[tuple[str, str]] = set()
        self._pseudonyms = Pseudonyms(key)
        self._sender = Sender(sink, self.options, self.options.spool / _target(key, sink.name), self.refuse)
        self.events = Events(self.track_nowait)
        _open.add(self)

    @classmethod
    def from_env(cls, options: TrackingOptions | None = None) -> Self:
        """Tracking against a remote Osler: OSLER_URL, OSLER_TOKEN or OSLER_TOKEN_FILE, OSLER_TRACKING_KEY.

        OSLER_CA_FILE, a PEM file, names the authorities whose certificate Osler may have, instead of the public ones.

        Errors: Misconfigured at start-up, naming the variable that is missing or cannot work.
        """
        chosen = options or TrackingOptions()
        url, key = required_environment("OSLER_URL"), required_environment("OSLER_TRACKING_KEY")
        file = os.environ.get("OSLER_TOKEN_FILE")
        token: str | Callable[[], str] = token_in(Path(file)) if file else required_environment("OSLER_TOKEN")
        sink = HttpSink(
            url, token, ca_file=os.environ.get("OSLER_CA_FILE") or None,
            connect_seconds=chosen.connect_seconds, total_seconds=chosen.total_seconds,
        )  # fmt: skip
        osler = cls(sink, key.encode(), chosen)
        osler.start()
        return osler

    def start(self) -> None:
        """Begin to send what an earlier process left behind."""
        self._sender.start()

    def pseudonym(self, subject: str) -> UUID:
        """The learner's pseudonym: a keyed hash (HMAC-SHA256) in the form of a random UUID."""
        return as_uuid(self._pseudonyms.of(subject))

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
        noted = self._noted(event_type, user, data, at=at, tz=tz, session_id=session_id)
        if noted is None:
            return False
        self._sender.put(noted)
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
        noted = self._noted(event_type, user, data, at=at, tz=tz, session_id=session_id)
        if noted is None:
            return False
        if not durable:
            self._sender.put(noted)
            return True
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()
        noted.waiter = lambda ok: _tell_later(loop, written, ok)
        self._sender.put(noted)
        return await written

    async def flush(self, timeout_seconds: float = 2.0) -> bool:
        """Wait until Osler has answered everything queued so far. False when the time ran out."""
        return await asyncio.to_thread(self._sender.wait_until_answered, timeout_seconds)

    def close(self) -> None:
        """At shutdown: send for at most two seconds; the rest stays on disk. An event after it begins anew."""
        self._sender.close()

    @property
    def counts(self) -> Counts:
        """What has been delivered, dropped and lost so far."""
        return self._sender.counts

    def _noted(
        self,
        event_type: str,
        user: str,
        data: Mapping[str, Any],
        *,
        at: datetime | None,
        tz: str | None,
        session_id: str | None,
    ) -> Noted | None:
        """The event as it is queued; None, and counted, for one that Osler would not take."""
        try:
            made = self._checked(event_type, user, data, at=at, tz=tz, session_id=session_id)
        except Exception:  # noqa: BLE001 (whatever the host has handed in, its request goes on)
            made = "schema"
        if isinstance(made, str):
            self.refuse(made, event_type, lacking(event_type, data) if made == "schema" else ())
            return None
        return made

    def _checked(
        self,
        event_type: str,
        user: str,
        data: Mapping[str, Any],
        *,
        at: datetime | None,
        tz: str | None,
        session_id: str | None,
    ) -> Noted | str:
        """The event, or why it is none. What it holds is copied here: the host may change it afterwards."""
        learner = self._pseudonyms.of_learner(user)
        if learner is None:
            return "type" if event_type not in EVENT_TYPES else "subject"
        if at is not None and not is_usable_time(at):
            return "time"
        at_ms = clock.unix_ms() if at is None else unix_ms(at)
        made = checked(event_type, learner, at_ms, rounded(data))
        if isinstance(made, str):
            return made
        if tz is not None or session_id is not None:
            if not are_usable(tz, session_id):
                return "schema"
            made.more = beside(tz, session_id)
        made.occurred_at = None if at is None else wire_time(at)
        return made

    def request(self, user: str, *, template: str, method: str, status: int, seconds: float, client: str) -> None:
        """Note a request of the learner behind the host's subject `user`: the least that can be done while it waits."""
        learner = self._pseudonyms.of_learner(user)
        if learner is None or method not in METHODS:  # a client may send any word as a method
            self.refuse("subject" if learner is None else "schema", "api_request")
            return
        self._sender.put(Requested(clock.unix_ms(), learner, template, method, status, seconds, client))

    def refuse(self, reason: str, event_type: str, lacks: Sequence[str] = ()) -> None:
        """Count an event that was not even queued; the log names type, reason and declared fields, never a value."""
        self.refused[reason] += 1
        known = event_type if event_type in EVENT_TYPES else "unknown"
        if (reason, known) not in self._told:
            self._told.add((reason, known))
            why = f"{reason}: it has no {', '.join(lacks)}" if lacks else reason
            log.warning("osler: an event of type %s was not tracked (%s); more are only counted", known, why)


def _target(key: bytes, name: str) -> str:
    """The folder of one Osler and one key: what waits for one is never sent to another, nor under its token."""
    return hmac.digest(key, b"spool\n" + name.encode(), hashlib.sha256).hex()[:16]


def _tell_later(loop: asyncio.AbstractEventLoop, future: asyncio.Future[bool], is_written: bool) -> None:
    """From another thread into the host's loop; a loop that has closed meanwhile has nobody waiting."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_tell, future, is_written)


def _tell(future: asyncio.Future[bool], is_written: bool) -> None:
    if not future.done():
        future.set_result(is_written)


_open: WeakSet[Osler] = WeakSet()


def _close_all() -> None:
    """A host that forgot to close: what is in memory must reach the disk before the interpreter ends."""
    for osler in list(_open):
        osler.close()


atexit.register(_close_all)
