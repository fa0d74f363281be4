"""Where in the spool one is: positions, the file that keeps one, and a batch with the position after it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from osler.tracking.segments import Record


class Position(NamedTuple):
    """Where the next record to send lies."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """Records to send, the position after them, and the generation of the segments that it was read in.

    `is_last` when nothing lies behind them.
    """

    records: Sequence[Record]
    after: Position
    generation: int
    is_last: bool


def segment_files(folder: Path) -> list[Path]:
    """The segments of a folder, oldest first; anything else that lies there is left alone."""
    return sorted(path for path in folder.glob("*.seg") if path.stem.isdecimal())


def waiting_bytes(folder: Path) -> int:
    """What everything takes that lies in a folder and waits, now or until it is due."""
    return sum(path.stat().st_size for pattern in ("*.seg", "*.wait") for path in folder.glob(pattern))


def read_position(path: Path) -> Position:
    """The position that a file keeps; the very beginning where it is missing or damaged."""
    with suppress(OSError, ValueError):
        segment, offset = map(int, path.read_text().split())
        if segment >= 0 and offset >= 0:
            return Position(segment, offset)
    return Position(0, 0)
