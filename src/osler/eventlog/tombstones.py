"""Whose events are no longer taken: keyed hashes of pseudonyms, and the locks that keep erasure and ingestion apart."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from osler.observe.keys import mac

LOCK_SPACE = 1
"""Advisory locks of ingestion (shared) against erasure (exclusive)."""

BUCKETS = 1024
"""One lock for each learner could exhaust the server's lock table: 20,000 in a transaction fail by default."""

KEY_NAME = "tombstones"


class Subject(NamedTuple):
    """A learner as the append names them, in texts: lock bucket, id, and the hash under which they would be erased."""

    bucket: str
    user_id: str
    mac: str


@lru_cache(maxsize=20_000)
def subject(key: bytes, user_id: str) -> Subject:
    """A learner by their canonical id; who sends once sends again soon."""
    found = UUID(user_id)
    return Subject(str(bucket(found)), user_id, f"\\x{subject_mac(key, found).hex()}")


def subject_mac(key: bytes, user_id: UUID) -> bytes:
    """The keyed hash under which an erased learner stays known, though nothing else of them does."""
    return mac(key, "tombstone", user_id.bytes)


def bucket(user_id: UUID) -> int:
    """The lock bucket of a learner; random bits of a pseudonym are spread already."""
    return user_id.int % BUCKETS
