"""Reads the body of a request: never more than the limit, sent or unpacked, whatever the headers promise."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import zstandard

from osler.errors import UnsupportedMedia
from osler.ingest.decoding import UnreadableBatch
from osler.ingest.limits import ENCODINGS, MAX_BODY_BYTES, MAX_RATIO, BatchTooLarge

_FEED = 128
"""Four bytes of zstd can stand for 128 KiB: so little at a time keeps what one step can unpack under 4 MiB."""
_SMALL = 64 * 1024
"""A ratio says nothing about a body this small: a thousand equal events do compress well."""


class EncodingUnknown(UnsupportedMedia):
    """A content encoding that is not spoken here."""

    default_code = "media.encoding"


async def read_body(chunks: AsyncIterator[bytes], encoding: str | None) -> bytes:
    """The unpacked body. Errors: BatchTooLarge, UnsupportedMedia, UnreadableBatch."""
    name = (encoding or "identity").strip().lower()
    if name not in {"identity", *ENCODINGS}:
        msg = f"Content-Encoding may be {', '.join(ENCODINGS)} or absent, and one layer deep."
        raise EncodingUnknown(msg)
    packed = bytearray()
    async for chunk in chunks:
        packed += chunk
        if len(packed) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(packed) if name == "identity" else unpack(bytes(packed), name)


def unpack(packed: bytes, encoding: str) -> bytes:
    """The content of one gzip or zstd frame, cut off at the limits while it grows.

    Errors: BatchTooLarge over 5 MiB or a ratio of 100, UnreadableBatch for a damaged or unfinished frame.
    """
    limit = min(MAX_BODY_BYTES, max(len(packed) * MAX_RATIO, _SMALL))
    try:
        return (_gunzip if encoding == "gzip" else _unzstd)(packed, limit)
    except (zlib.error, zstandard.ZstdError, EOFError):
        msg = f"The body is not a whole {encoding} stream."
        raise UnreadableBatch(msg, code="batch.compression") from None


def _gunzip(packed: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    out = unpacker.decompress(packed, limit + 1)
    if len(out) > limit:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise EOFError
    return out


def _unzstd(packed: bytes, limit: int) -> bytes:
    # a window of 8 MiB is all that the format asks of a decoder; more is a way to make it allocate
    unpacker = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
    out = bytearray()
    for start in range(0, len(packed), _FEED):
        out += unpacker.decompress(packed[start : start + _FEED])
        if len(out) > limit:
            raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise EOFError
    return bytes(out)


def _too_large() -> BatchTooLarge:
    return BatchTooLarge("The body is larger than the limit, as sent or unpacked.")
