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
from osler.domain.identity import event_id_text
from osler.tracking.checking import fault_of, is_subject, is_usable_ms
from osler.tracking.priority import Queued, Waiter

MOST_DATA_BYTES = 15 * 1024
"""Osler takes events of 16 KiB, with what stands round the data; beyond it, one would be refused for ever."""

CHANCE_BYTES = 10
"""What an event's id is made of, beside its time."""

_MOST_DURATION_MS = 600_000
_encode = msgspec.json.Encoder().encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = 1000


class Noted(msgspec.Struct, gc=False):
    """What is kept of an event until it is written: nothing here names a person.

    `learner` is the keyed hash of the host's subject, `data` its checked fields as JSON, `more` the optional fields
    beside them, from their comma on. `occurred_at` is the text of a time that the host gave; else `at_ms` says it all.
    `number` is the queue's.
    """

    event_type: str
    learner: bytes
    at_ms: int
    data: bytes
    occurred_at: str | None = None
    more: bytes = b""
    waiter: Waiter | None = None
    number: int = 0


class Requested(msgspec.Struct, gc=False):
    """What is kept of a request until it becomes an event: `learner` as in `Noted`, the rest out of closed lists."""

    at_ms: int
    learner: bytes
    template: str
    method: str
    status: int
    seconds: float
    client: str
    event_type: str = "api_request"
    waiter: Waiter | None = None
    number: int = 0


class Pseudonyms:
    """HMAC-SHA256 of subjects under one key; those of the latest learners are remembered, in memory alone."""

    MOST = 4_096

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, bytes] = {}

    def of(self, subject: str) -> bytes:
        """The sixteen bytes that a learner's pseudonym is made of."""
        return hmac.digest(self._key, subject.encode("utf-8", "surrogatepass"), hashlib.sha256)[:16]

    def of_learner(self, user: object) -> bytes | None:
        """The same of whatever a host calls its learner; None for what is no subject. Those of the latest are kept."""
        known = self._known.get(user) if type(user) is str else None
        if known is None and is_subject(user):
            if len(self._known) >= self.MOST:
                self._known.clear()
            known = self._known[user] = self.of(user)
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


def assembled(event: Noted | Requested, chance: bytes) -> Queued | str:
    """The event as it is sent, its id of these bytes of chance; of a request, also why it is none."""
    user_id = _user_id(event.learner)
    if isinstance(event, Noted):
        head = _head(event.event_type, event.at_ms, event.occurred_at or _utc(event.at_ms), user_id, chance)
        return Queued(event.event_type, user_id, head.encode() + event.data + event.more + b"}", event.waiter)
    shape = _shape(event.template, event.method, event.status, event.client)
    if not is_usable_ms(event.at_ms):
        return "time"
    if not shape.startswith("{"):
        return shape
    head = _head("api_request", event.at_ms, _utc(event.at_ms), user_id, chance)
    duration_ms = min(_MOST_DURATION_MS, round(event.seconds * _MS))
    return Queued("api_request", user_id, f'{head}{shape},"duration_ms":{duration_ms}}}}}'.encode())


@lru_cache(maxsize=10_000)
def _shape(template: str, method: str, status: int, client: str) -> str:
    """A request's data up to its duration, the same for many and checked once; or why such a request is no event."""
    data = {"route": template, "method": method, "status": status, "client": client}
    fault = fault_of("api_request", {**data, "duration_ms": 0})
    encoded = _encode(data)
    return fault or ("schema" if b"\\" in encoded else encoded[:-1].decode())


def _head(event_type: str, at_ms: int, occurred_at: str, user_id: str, chance: bytes) -> str:
    """What stands before an event's data. The id comes first: delivery looks for it there."""
    return (
        f'{{"id":"{event_id_text(at_ms, chance)}","type":"{event_type}","schema":{EVENT_TYPES[event_type].version},'
        f'"occurred_at":"{occurred_at}","user_id":"{user_id}","data":'
    )


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
    seconds, ms = divmod(at_ms, _MS)
    return f"{_second(seconds)}.{ms:03d}Z"


@lru_cache(maxsize=64)
def _second(unix_seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=unix_seconds)).strftime("%Y-%m-%dT%H:%M:%S")
