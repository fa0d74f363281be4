"""An event as the request path leaves it, and its bytes, which are put together where no request waits."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from osler.domain.event_types import EVENT_TYPES
from osler.domain.identity import new_event_id
from osler.tracking.checking import fault_of, is_usable_ms
from osler.tracking.priority import Queued, Waiter

MOST_DATA_BYTES = 15 * 1024
"""Osler takes events of 16 KiB, with what stands round the data; beyond it, one would be refused for ever."""

_encode = msgspec.json.Encoder().encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = 1000


class Noted(msgspec.Struct, gc=False):
    """What is kept of an event until it is written: nothing here names a person.

    `learner` is the keyed hash of the host's subject, `data` its checked fields as JSON, `more` the optional fields
    beside them, from their comma on. `occurred_at` is the text of a time that the host gave; else `at_ms` says it all.
    """

    event_type: str
    learner: bytes
    at_ms: int
    data: bytes
    occurred_at: str | None = None
    more: bytes = b""
    waiter: Waiter | None = None


class Requested(msgspec.Struct, gc=False):
    """What is kept of a request until it becomes an event: `learner` as in `Noted`, the rest out of closed lists."""

    at_ms: int
    learner: bytes
    template: str
    method: str
    status: int
    duration_ms: int
    client: str
    event_type: str = "api_request"
    waiter: Waiter | None = None


class Pseudonyms:
    """HMAC-SHA256 of subjects under one key; those of the latest learners are remembered, in memory alone."""

    MOST = 4_096

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, bytes] = {}

    def of(self, subject: str) -> bytes:
        """The sixteen bytes that a learner's pseudonym is made of."""
        known = self._known.get(subject)
        if known is None:
            if len(self._known) >= self.MOST:
                self._known.clear()
            told = subject.encode("utf-8", "surrogatepass")
            known = self._known[subject] = hmac.digest(self._key, told, hashlib.sha256)[:16]
        return known


def as_uuid(learner: bytes) -> UUID:
    """The pseudonym in the form of a random UUID."""
    return UUID(bytes=learner, version=4)


@lru_cache(maxsize=10_000)
def _user_id(learner: bytes) -> str:
    return str(as_uuid(learner))


def checked(event_type: str, learner: bytes, at_ms: int, data: dict[str, Any]) -> Noted | str:
    """The event, or why it is none: `schema`, `privacy`, `time`. What it holds is copied into bytes here."""
    fault = fault_of(event_type, data)
    if fault is not None:
        return fault
    if not is_usable_ms(at_ms):
        return "time"
    encoded = _encode(data)
    # No text of an event can hold a character that JSON escapes; patterns that end in $ let a line feed through.
    if b"\\" in encoded or len(encoded) > MOST_DATA_BYTES:
        return "schema"
    return Noted(event_type, learner, at_ms, encoded)


def checked_request(made: Requested) -> Noted | str:
    """The same of a request."""
    data = {
        "route": made.template,
        "method": made.method,
        "status": made.status,
        "duration_ms": made.duration_ms,
        "client": made.client,
    }
    return checked("api_request", made.learner, made.at_ms, data)


def assembled(noted: Noted) -> Queued:
    """The event as it is sent, with its id. The id stands first: delivery looks for it there."""
    user_id = _user_id(noted.learner)
    body = (
        f'{{"id":"{new_event_id(noted.at_ms)}","type":"{noted.event_type}",'
        f'"schema":{EVENT_TYPES[noted.event_type].version},'
        f'"occurred_at":"{noted.occurred_at or _utc(noted.at_ms)}","user_id":"{user_id}","data":'
    )
    return Queued(noted.event_type, user_id, body.encode() + noted.data + noted.more + b"}", noted.waiter)


def beside(tz: str | None, session_id: str | None) -> bytes:
    """The optional fields after `data`, from their comma on. Both have been checked."""
    more = {"tz": tz, "session_id": session_id}
    return b"".join(b',"%b":"%b"' % (k.encode(), v.encode()) for k, v in more.items() if v is not None)


def unix_ms(at: datetime) -> int:
    """Whole milliseconds, cut as the text beside the id is cut."""
    passed = at - _EPOCH
    return passed.days * 86_400_000 + passed.seconds * _MS + passed.microseconds // _MS


def wire_time(at: datetime) -> str:
    """RFC 3339 in milliseconds. UTC is written `Z`, which says that the learner's own offset is not known."""
    text = at.isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z") if at.tzinfo is UTC else text


def _utc(at_ms: int) -> str:
    return wire_time(_EPOCH + timedelta(milliseconds=at_ms))
