"""What a process that is gone has left in its folder becomes another's, durably, before it is gone from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from osler.tracking import segments
from osler.tracking.positions import read_position, segment_files


def take_over(other: Path, folder: Path, next_path: Callable[[], Path]) -> int:
    """Move what waits in another folder to the end of this one. Returns bytes that could not be read back.

    A crash in between sends some events twice. Errors: OSError; what was not moved is still there.
    """
    torn = 0
    position = read_position(other / "position")
    for path in segment_files(other):
        number = int(path.stem)
        if number == position.segment and position.offset:
            left = segments.read_from(path, position.offset)
            rest = b"".join(segments.pack(record.event_type, record.user_id, record.body) for record in left)
            torn += segments.torn_bytes(path, position.offset)
            segments.write_whole(next_path(), rest)
            path.unlink()
        elif number >= position.segment:
            path.rename(next_path())
    for path in other.glob("*.wait"):
        path.rename(folder / path.name)
    segments.sync_folder(folder)
    return torn
