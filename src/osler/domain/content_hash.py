"""What makes two events with one id the same: SHA-256 over the canonical form of what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any


def canonical_data(encoded: bytes) -> bytes:
    """JSON with sorted keys as the encoder wrote it, made canonical: numbers in their shortest form.

    The closed schemas let no text hold a comma, and none but a route hold a brace, so that cutting `.0` before a
    separator touches numbers alone; a route that ends in `.0}` is cut alike every time, which is all that identity
    needs. Works on one object and on many joined by newlines.
    """
    return encoded.replace(b".0,", b",").replace(b".0}", b"}")


def content_hash(
    *,
    event_type: str,
    schema: int,
    occurred_us: int,
    offset_minutes: int | None,
    tz: str | None,
    session_id: str | None,
    topic_ids: list[str] | None,
    time_precision: str | None,
    data: bytes,
) -> bytes:
    """SHA-256 of an event's canonical form; `data` is its canonical JSON.

    Not in it: when and how often it was sent, by which device, out of which queue.
    """
    topics = ",".join(topic_ids) if topic_ids else ""
    head = (
        f"{event_type}|{schema}|{occurred_us}|{'' if offset_minutes is None else offset_minutes}|{tz or ''}|"
        f"{session_id or ''}|{topics}|{time_precision or 'ms'}|"
    )
    return hashlib.sha256(head.encode() + data).digest()


def content_hashes(
    *,
    event_types: Sequence[str],
    schemas: Sequence[int],
    occurred_us: Sequence[int],
    offsets: Sequence[int | None],
    zones: Sequence[str | None],
    sessions: Sequence[str | None],
    topics: Sequence[list[str] | None],
    precisions: Sequence[str],
    data: Sequence[bytes],
) -> list[bytes]:
    """`content_hash` of many events, given as columns: what several share is written once."""
    sha256 = hashlib.sha256
    no_topics = topics.count(None) == len(topics)
    joined = [""] * len(topics) if no_topics else [",".join(names) if names else "" for names in topics]
    columns: list[Sequence[Any]] = [event_types, schemas, offsets, zones, sessions, joined, precisions]
    if all(column.count(column[0]) == len(column) for column in columns):
        head, tail = _head_and_tail(tuple(column[0] for column in columns))
        return [
            sha256(b"%b%d%b%b" % (head, us, tail, body)).digest() for us, body in zip(occurred_us, data, strict=True)
        ]
    keys = list(zip(*columns, strict=True))
    around = {key: _head_and_tail(key) for key in set(keys)}
    return [
        sha256(b"%b%d%b%b" % (around[key][0], us, around[key][1], body)).digest()
        for key, us, body in zip(keys, occurred_us, data, strict=True)
    ]


def _head_and_tail(key: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """What stands before and after the time in the hashed form, up to `data`."""
    event_type, schema, offset, zone, session, topics, precision = key
    tail = f"|{'' if offset is None else offset}|{zone or ''}|{session or ''}|{topics}|{precision}|"
    return f"{event_type}|{schema}|".encode(), tail.encode()
