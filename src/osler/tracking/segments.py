"""Records in a file: length, checksum, bytes. A torn or flipped end is cut off, never fatal."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

_HEAD = struct.Struct("<II")
MOST_RECORD_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024


class Record(msgspec.Struct, gc=False, frozen=True):
    """One spooled event, and where it ends: segment and offset."""

    event_type: str
    user_id: str
    body: bytes
    segment: int
    end: int


class _Line(msgspec.Struct, array_like=True, gc=False):
    event_type: str
    user_id: str
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Line).decode


def pack(event_type: str, user_id: str, body: bytes) -> bytes:
    """A record as it lies in the file."""
    payload = _encode(_Line(event_type, user_id, body))
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_from(path: Path, offset: int, segment: int = 0) -> Iterator[Record]:
    """The records of a segment from an offset on, up to the last whole one; read in pieces, so stopping is cheap."""
    with path.open("rb", buffering=_READ_BYTES) as file:
        file.seek(offset)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            if length > MOST_RECORD_BYTES:
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != checksum:
                return
            try:
                line = _decode(payload)
            except msgspec.DecodeError:
                return
            offset += _HEAD.size + length
            yield Record(line.event_type, line.user_id, line.body, segment, offset)


def torn_bytes(path: Path, offset: int = 0) -> int:
    """How many bytes at the end of a segment are no whole records."""
    end = offset
    for record in read_from(path, offset):
        end = record.end
    return path.stat().st_size - end


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
        age = path.stat()
        write_whole(path, b"".join(kept))
        os.utime(path, ns=(age.st_atime_ns, age.st_mtime_ns))
    return gone


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves the old one or the new one.

    Errors: OSError, and then the old one is left.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the bytes in its files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
