"""An event as the request path leaves it, and its bytes, which are put together where no request waits."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec

from osler.domain.event_types import EVENT_TYPES
from osler.domain.identity import new_event_id
from osler.tracking.priority import Queued, Waiter

_BLOCK = hashlib.sha256().block_size
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


class Pseudonyms:
    """HMAC-SHA256 (RFC 2104) under one key, whose two halves are hashed once and not for each request."""

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(self, subject: str) -> bytes:
        """The sixteen bytes that a learner's pseudonym is made of."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(subject.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()[:16]


def as_uuid(learner: bytes) -> UUID:
    """The pseudonym in the form of a random UUID."""
    return UUID(bytes=learner, version=4)


@lru_cache(maxsize=10_000)
def _user_id(learner: bytes) -> str:
    return str(as_uuid(learner))


def assembled(noted: Noted) -> Queued:
    """The event as it is sent, with its id. The id stands first: delivery looks for it there."""
    user_id = _user_id(noted.learner)
    body = (
        f'{{"id":"{new_event_id(noted.at_ms)}","type":"{noted.event_type}",'
        f'"schema":{EVENT_TYPES[noted.event_type].version},'
        f'"occurred_at":"{noted.occurred_at or _utc(noted.at_ms)}","user_id":"{user_id}","data":'
    )
    return Queued(noted.event_type, user_id, body.encode() + noted.data + noted.more + b"}", noted.waiter)


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
