"""The queue on disk: what is written here survives the host's death and is sent by whoever finds it.

One locked folder for each process; the folders of dead processes are adopted. Records are appended and fsynced;
a small file says up to where everything has been answered. Losing that file only repeats what Osler calls duplicates.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from osler import clock
from osler.tracking import segments
from osler.tracking.priority import CLASSES, Queued, class_of
from osler.tracking.segments import Record

SECONDS_A_DAY = 86_400


class Position(NamedTuple):
    """Where the next record to send lies."""

    segment: int
    offset: int


class Spool:
    """An append-only queue in segments. One thread writes and reads it; nothing here is locked against another."""

    def __init__(self, root: Path, *, segment_bytes: int, most_bytes: int, most_days: float) -> None:
        self.segment_bytes = segment_bytes
        self.most_bytes = most_bytes
        self.most_days = most_days
        self.dropped: Counter[str] = Counter()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._lock = _own_folder(root)
        self._adopt_dead(root)
        self._position = self._read_position()
        self._writing: IO[bytes] | None = None
        self._writing_number = 0

    # ------------------------------------------------------------------ writing
    def append(self, items: Iterable[Queued]) -> None:
        """Write events and fsync. When it returns, they survive `kill -9`.

        Errors: OSError when the disk is full or read-only; what was written before is kept.
        """
        data = b"".join(segments.pack(item.event_type, item.user_id, item.body) for item in items)
        if not data:
            return
        self._make_room(len(data))
        out = self._open_segment(len(data))
        out.write(data)
        out.flush()
        os.fsync(out.fileno())

    def _open_segment(self, size: int) -> IO[bytes]:
        if self._writing is None or self._writing.tell() + size > self.segment_bytes:
            self.close_segment()
            numbers = self._numbers()
            self._writing_number = (numbers[-1] if numbers else 0) + 1
            self._writing = self._path(self._writing_number).open("ab")
        return self._writing

    def close_segment(self) -> None:
        """Close the segment being written; the next append begins another."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    # ------------------------------------------------------------------ reading
    def peek(self, most_events: int, most_bytes: int) -> tuple[list[Record], Position]:
        """The oldest events that have not been answered, and the position after them. Nothing is moved yet."""
        taken: list[Record] = []
        size, position = 0, self._position
        for number in self._numbers():
            if number < position.segment:
                continue
            offset = position.offset if number == position.segment else 0
            for record in segments.read_from(self._path(number), offset):
                size += len(record.body)
                if len(taken) >= most_events or (taken and size > most_bytes):
                    return taken, position
                taken.append(record)
                position = Position(number, record.end)
        return taken, position

    def advance(self, position: Position) -> None:
        """Everything before this position has been answered: forget it."""
        self._position = position
        segments.write_whole(self.folder / "position", f"{position.segment} {position.offset}".encode())
        for number in self._numbers():
            is_done = number == position.segment and position.offset >= self._path(number).stat().st_size
            if number < position.segment or (is_done and number != self._writing_number):
                self._path(number).unlink()

    def __len__(self) -> int:
        return sum(1 for _ in self._waiting())

    def size_bytes(self) -> int:
        """Bytes that the segments take."""
        return sum(self._path(number).stat().st_size for number in self._numbers())

    def _waiting(self) -> Iterator[Record]:
        for number in self._numbers():
            if number >= self._position.segment:
                offset = self._position.offset if number == self._position.segment else 0
                yield from segments.read_from(self._path(number), offset)

    # ------------------------------------------------------------------ bounds
    def _make_room(self, size: int) -> None:
        self._drop_too_old()
        for rank in range(CLASSES):
            if self.size_bytes() + size <= self.most_bytes:
                return
            self._drop_class(rank, size)

    def _drop_class(self, rank: int, size: int) -> None:
        """Drop events of one class, oldest segment first, until there is room and a twentieth more."""
        self.close_segment()
        goal = self.most_bytes * 0.95 - size
        for number in self._numbers():
            if self.size_bytes() <= goal:
                return
            path = self._path(number)
            types = {r.event_type for r in segments.read_from(path, 0) if class_of(r.event_type) == rank}
            gone = segments.rewrite_without(path, sorted(types))
            if gone and number == self._position.segment:
                # Offsets of a rewritten segment have moved: send it from its start, Osler knows what it has.
                self._position = Position(number, 0)
            self.dropped.update(gone)

    def _drop_too_old(self) -> None:
        oldest = clock.now().timestamp() - self.most_days * SECONDS_A_DAY
        for number in self._numbers():
            path = self._path(number)
            if path.stat().st_mtime < oldest and number != self._writing_number:
                self.dropped.update(record.event_type for record in segments.read_from(path, 0))
                path.unlink()

    # ------------------------------------------------------------------ folders
    def _adopt_dead(self, root: Path) -> None:
        """Take over the segments of processes that are gone, before our own: they are older."""
        for other in sorted(root.iterdir()):
            if other == self.folder or not other.is_dir():
                continue
            lock = _try_lock(other)
            if lock is None:
                continue
            with lock:
                self._take_over(other)
                shutil.rmtree(other, ignore_errors=True)

    def _take_over(self, other: Path) -> None:
        position = _parse_position(other / "position")
        for path in sorted(other.glob("*.seg")):
            number = int(path.stem)
            if number < position.segment:
                continue
            segments.cut_torn_end(path)
            offset = position.offset if number == position.segment else 0
            rest = b"".join(segments.pack(r.event_type, r.user_id, r.body) for r in segments.read_from(path, offset))
            if rest:
                mine = self._numbers()
                segments.write_whole(self._path((mine[-1] if mine else 0) + 1), rest)
            path.unlink()

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.seg"))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:09d}.seg"

    def _read_position(self) -> Position:
        return _parse_position(self.folder / "position")

    def close(self) -> None:
        """Give the folder up: an empty one is removed, another is left for the next process to adopt."""
        self.close_segment()
        is_empty = next(self._waiting(), None) is None
        self._lock.close()
        if is_empty:
            shutil.rmtree(self.folder, ignore_errors=True)


def _own_folder(root: Path) -> tuple[Path, IO[bytes]]:
    while True:
        folder = root / f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        lock = _try_lock(folder)
        if lock is not None:
            return folder, lock


def _try_lock(folder: Path) -> IO[bytes] | None:
    """The lock of a folder, or None while its process lives. The kernel lets go of it when a process dies."""
    try:
        handle = (folder / "lock").open("ab")
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    if not folder.exists():
        handle.close()
        return None
    return handle


def _parse_position(path: Path) -> Position:
    with contextlib.suppress(OSError, ValueError):
        segment, offset = path.read_text().split()
        return Position(int(segment), int(offset))
    return Position(0, 0)
