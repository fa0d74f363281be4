"""What is kept of an answer, and how it is sealed before it leaves the process."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Protocol

import msgspec

from osler.observe.keys import mac

SCHEMA = 1
"""Rises whenever an answer's shape changes, so that a value of an older release is a miss."""

MAX_VALUE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Key:
    """Which answer of which learner: `name` is the analytic, `variant` its checked parameters."""

    subject: uuid.UUID
    name: str
    variant: str = ""

    def text(self) -> str:
        """The key as a string, for a store outside the process."""
        return f"osler:c:{self.subject}:{self.name}:{blake2b(self.variant.encode(), digest_size=12).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept answer: the bytes that were sent, and the state of the learner's data that they speak of."""

    key: Key
    generation: str
    body: bytes
    etag: str


class Cache(Protocol):
    """Keeps answers by learner. Every method is quick or gives up; none raises because the store is away."""

    async def generation(self, subject: uuid.UUID) -> str | None:
        """The learner's present generation; None when the store is away and nothing may be kept or believed."""
        ...

    async def get(self, key: Key) -> tuple[str | None, Entry | None]:
        """The present generation and the kept answer, which belongs to it. Generation None: store is away."""
        ...

    async def put(self, entry: Entry) -> None:
        """Keep an answer for the time to live."""
        ...

    async def bump(self, subject: uuid.UUID) -> None:
        """The learner's data changed: what was kept before is not served again."""
        ...

    async def bump_all(self) -> None:
        """Everybody's data may have changed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def etag_of(body: bytes) -> str:
    """A strong entity tag of the bytes."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


class _Sealed(msgspec.Struct):
    v: str
    subject: str
    generation: str
    schema: int
    tag: str


def seal(entry: Entry, secret: bytes) -> bytes:
    """The entry as JSON `{v, subject, generation, schema, tag}`; the tag binds the value to its key."""
    body = entry.body.decode()
    tag = _tag(entry.key, entry.generation, body, secret)
    return msgspec.json.encode(_Sealed(body, str(entry.key.subject), entry.generation, SCHEMA, tag))


def unseal(raw: bytes, key: Key, secret: bytes) -> Entry | None:
    """The entry in those bytes, or None when they are anything else: other key, schema, tag, type, size."""
    if len(raw) > MAX_VALUE_BYTES:
        return None
    try:
        sealed = msgspec.json.decode(raw, type=_Sealed)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if sealed.schema != SCHEMA or sealed.subject != str(key.subject):
        return None
    if not compare_digest(sealed.tag.encode(), _tag(key, sealed.generation, sealed.v, secret).encode()):
        return None
    body = sealed.v.encode()
    return Entry(key, sealed.generation, body, etag_of(body))


def _tag(key: Key, generation: str, body: str, secret: bytes) -> str:
    return mac(secret, "cache", key.text(), generation, str(SCHEMA), body).hex()
