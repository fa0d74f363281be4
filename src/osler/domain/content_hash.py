"""What makes two events with one id the same: SHA-256 over the canonical form of what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


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
    heads = {each: f"{each[0]}|{each[1]}|".encode() for each in set(zip(event_types, schemas, strict=True))}
    keys = [
        (offset, zone, session, ",".join(names) if names else "", precision)
        for offset, zone, session, names, precision in zip(offsets, zones, sessions, topics, precisions, strict=True)
    ]
    tails = {
        key: f"|{'' if key[0] is None else key[0]}|{key[1] or ''}|{key[2] or ''}|{key[3]}|{key[4]}|".encode()
        for key in set(keys)
    }
    return [
        sha256(b"%b%d%b%b" % (heads[kind, schema], us, tails[key], body)).digest()
        for kind, schema, us, key, body in zip(event_types, schemas, occurred_us, keys, data, strict=True)
    ]
