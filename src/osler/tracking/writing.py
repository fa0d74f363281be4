"""The segment that is written at the moment: appended to, fsynced, cut back where a write failed, begun anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from osler.tracking import segments


class Writing:
    """At most one open segment of a folder. `number` is that of the last one, open or not; 0 before the first."""

    def __init__(self, path_of: Callable[[int], Path], next_number: Callable[[], int], *, segment_bytes: int) -> None:
        self.number = 0
        self.segment_bytes = segment_bytes
        self._path_of = path_of
        self._next_number = next_number
        self._handle: int | None = None
        self._tail = 0

    def is_open(self, number: int) -> bool:
        """Whether more may be appended to this segment."""
        return self._handle is not None and number == self.number

    def append(self, data: bytes) -> bool:
        """Write and fsync. True when a segment was begun for it.

        Errors: OSError, and then nothing of it is kept.
        """
        number = self.number
        handle = self._segment_for(len(data))
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, self._tail)
            self.close()
            raise
        self._tail += len(data)
        return self.number != number

    def _segment_for(self, size: int) -> int:
        if self._handle is not None and os.fstat(self._handle).st_nlink == 0:
            self.close()  # removed by somebody: what is written to it now would be lost
        if self._handle is None or self._tail + size > self.segment_bytes:
            self.close()
            number = self._next_number()
            path = self._path_of(number)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self.number, self._tail = number, 0
            segments.sync_folder(path.parent)
        return self._handle

    def close(self) -> None:
        """Append no more to it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
