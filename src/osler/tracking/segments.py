"""Records in a file: length, checksum, bytes. A torn or flipped end is cut off, never fatal."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

_HEAD = struct.Struct("<II")
MOST_RECORD_BYTES = 64 * 1024


class Record(NamedTuple):
    """One spooled event, and where in its segment the next record begins."""

    event_type: str
    user_id: str
    body: bytes
    end: int


class _Line(msgspec.Struct, array_like=True):
    event_type: str
    user_id: str
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Line).decode


def pack(event_type: str, user_id: str, body: bytes) -> bytes:
    """A record as it lies in the file."""
    payload = _encode(_Line(event_type, user_id, body))
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_from(path: Path, offset: int) -> Iterator[Record]:
    """The records of a segment from an offset on, up to the last whole one."""
    data = path.read_bytes()
    while offset + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, offset)
        end = offset + _HEAD.size + length
        payload = data[offset + _HEAD.size : end]
        if length > MOST_RECORD_BYTES or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        try:
            line = _decode(payload)
        except msgspec.DecodeError:
            return
        yield Record(line.event_type, line.user_id, line.body, end)
        offset = end


def whole_bytes(path: Path) -> int:
    """How many bytes at the beginning of a segment are whole records."""
    end = 0
    for record in read_from(path, 0):
        end = record.end
    return end


def cut_torn_end(path: Path) -> int:
    """Cut a segment after its last whole record. Returns how many bytes were lost."""
    whole, size = whole_bytes(path), path.stat().st_size
    if whole < size:
        os.truncate(path, whole)
    return size - whole


def rewrite_without(path: Path, dropped_types: Sequence[str]) -> list[str]:
    """Rewrite a segment without events of these types. Returns the type of each event that was dropped."""
    kept: list[bytes] = []
    gone: list[str] = []
    for record in read_from(path, 0):
        if record.event_type in dropped_types:
            gone.append(record.event_type)
        else:
            kept.append(pack(record.event_type, record.user_id, record.body))
    if gone:
        write_whole(path, b"".join(kept))
    return gone


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves the old one or the new one."""
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
