"""Zstandard that says when it ends too early: the library's own reader takes a torn file for a short one."""

from __future__ import annotations

import io
from typing import IO

import zstandard

PIECE = 1024
"""Bytes fed at once. A block of 128 KiB may take four bytes, so that a piece gives 32 MiB at the very most."""


class ZstdStream(io.RawIOBase):
    """Reads the frames of a file one after the other.

    Errors: zstandard.ZstdError when a frame is damaged or ends in its middle.
    """

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__()
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = True
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, as many as there are at hand; nothing at the end. `size` must be given."""
        while not self._plain:
            piece = self._packed.read(PIECE)
            if not piece:
                if self._is_inside:
                    raise zstandard.ZstdError("it ends in the middle")
                return b""
            self._plain = memoryview(self._unpack(piece))
        taken, self._plain = self._plain[:size], self._plain[size:]
        return bytes(taken)

    def _unpack(self, piece: bytes) -> bytes:
        plain = b""
        while piece:
            if not self._is_inside:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            plain += self._frame.decompress(piece)
            self._is_inside = not self._frame.eof
            piece = b"" if self._is_inside else self._frame.unused_data
        return plain
