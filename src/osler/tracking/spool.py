"""The queue on disk: what is written here survives the host's death and is sent by whoever finds it.

Records are appended to numbered segments and fsynced; a small file says up to where everything has been answered.
Losing that file only repeats what Osler calls duplicates. Events that Osler wants later lie in files named after the
time when they are due, and become segments then.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from osler.tracking import segments
from osler.tracking.adopting import take_over
from osler.tracking.folders import dead_folders, open_root, own_folder
from osler.tracking.positions import Batch, Position, segment_files, waiting_bytes
from osler.tracking.priority import CLASSES, Queued, class_of
from osler.tracking.segments import Record
from osler.tracking.tallies import Tallies
from osler.tracking.writing import Writing

SECONDS_A_DAY = 86_400
_LOOK_FOR_OLD_SECONDS = 60.0
_LOOKS = 60  # an hour of them: a clock that is wrong for a while costs nothing


class Spool:
    """An append-only queue in segments. Not locked: whoever shares it between threads holds a lock.

    Errors of every method: OSError when the disk is full, read-only or gone; what was written before is kept.
    `dropped` counts events by type that were given up, `torn_bytes` what could not be read back;
    `generation` grows when offsets have moved; `lock` is no longer in place when somebody has removed the folder.
    """

    def __init__(self, root: Path, *, segment_bytes: int, most_bytes: int, most_days: float) -> None:
        self.most_bytes = most_bytes
        self.most_days = most_days
        self.dropped: Counter[str] = Counter()
        self.torn_bytes = 0
        open_root(root)
        self._root = root
        self.lock = own_folder(root)
        self.folder = self.lock.folder
        self._position = Position(0, 0)
        self.generation = 0
        self._writing = Writing(self._path, self._next_number, segment_bytes=segment_bytes)
        self._size: int | None = None
        self._looked_for_old_at = 0.0
        self._tallies = Tallies()
        self._torn: dict[int, int] = {}
        self._looks: Counter[int] = Counter()

    # ------------------------------------------------------------------ writing
    def append(self, items: Sequence[Queued], now_seconds: float) -> None:
        """Write events and fsync, then tell those who wait for one of them."""
        self._drop_too_old(now_seconds)
        kept = self._make_room([(item, segments.pack(item.event_type, item.user_id, item.body)) for item in items])
        data = b"".join(packed for _, packed in kept)
        if data:
            if self._writing.append(data):
                self._tallies.begin(self._writing.number)
            self._tallies.add(self._writing.number, {item.event_type for item, _ in kept})
            if self._size is not None:
                self._size += len(data)
        for item, _ in kept:
            item.tell(True)

    # ------------------------------------------------------------------ reading
    def peek(self, *, most_events: int, most_bytes: int, most_learners: int) -> Batch:
        """The oldest events that have not been answered. Nothing is moved yet."""
        taken: list[Record] = []
        learners: set[str] = set()
        size, position = 0, self._position
        for number in self._numbers():
            if number < position.segment:
                continue
            offset = position.offset if number == position.segment else 0
            for record in segments.read_from(self._path(number), offset, number):
                size += len(record.body)
                learners.add(record.user_id)
                is_full = len(taken) >= most_events or size > most_bytes or len(learners) > most_learners
                if taken and is_full:
                    return Batch(taken, position, self.generation, is_last=False)
                taken.append(record)
                position, offset = Position(number, record.end), record.end
            self._torn[number] = self._path(number).stat().st_size - offset
        if not taken:
            position = self._skip_torn(position)
        return Batch(taken, position, self.generation, is_last=True)

    def _skip_torn(self, position: Position) -> Position:
        """Nothing whole is left; if bytes are, they were damaged, and what comes next goes into another segment."""
        end = self.end()
        if position >= end:
            return position
        self._writing.close()
        self.advance(end, self.generation)
        return end

    def advance(self, after: Position, generation: int) -> None:
        """Everything before this position has been answered: forget it.

        Segments that were rewritten since the batch was read have other offsets: then nothing is forgotten, and what
        is sent again Osler calls duplicates.
        """
        if generation != self.generation or after <= self._position:
            return
        self._position = after
        self._size = None
        for number in self._numbers():
            path = self._path(number)
            is_open = self._writing.is_open(number)
            is_done = number == after.segment and after.offset >= path.stat().st_size
            if number < after.segment or (is_done and not is_open):
                self.torn_bytes += self._torn.pop(number, 0)
                self._tallies.forget(number)
                path.unlink()
        # After the segments: on a full disk this fails, and their going is what makes room. It only saves repeats.
        with suppress(OSError):
            segments.write_whole(self.folder / "position", f"{after.segment} {after.offset}".encode())

    def end(self) -> Position:
        """The position after everything that is in segments now."""
        numbers = self._numbers()
        return Position(numbers[-1], self._path(numbers[-1]).stat().st_size) if numbers else self._position

    def is_past(self, position: Position) -> bool:
        """Whether everything before a position has been answered or given up."""
        return self._position >= min(position, self.end())

    def size_bytes(self) -> int:
        """Bytes that everything takes which waits; counted anew after something other than an append."""
        if self._size is None:
            self._size = waiting_bytes(self.folder)
        return self._size

    def park(self, records: Iterable[Record], due_ms: int) -> None:
        """Keep events until a time; they count against the bounds as all others do."""
        data = b"".join(segments.pack(each.event_type, each.user_id, each.body) for each in records)
        self._size = None
        if data:
            segments.write_whole(self.folder / f"{due_ms:015d}-{secrets.token_hex(4)}.wait", data)
            segments.sync_folder(self.folder)

    def release_due(self, now_ms: int, most_ms: int) -> None:
        """What is due now goes to the end of the queue; also what no clock that is right can have put off so far."""
        for path in sorted(self.folder.glob("[0-9]*-*.wait")):
            due_ms = path.stem.partition("-")[0]
            if due_ms.isdecimal() and not now_ms < int(due_ms) <= now_ms + most_ms:
                self._writing.close()
                path.rename(self._path(self._next_number()))

    def _make_room(self, packed: list[tuple[Queued, bytes]]) -> list[tuple[Queued, bytes]]:
        """Drop class by class, first what lies here and then what comes, until the rest fits."""
        for rank in range(CLASSES):
            size = sum(len(data) for _, data in packed)
            if self.size_bytes() + size <= self.most_bytes:
                break
            self._drop_class(rank, size)
            if self.size_bytes() + size > self.most_bytes:
                packed = self._refuse_class(rank, packed)
        return packed

    def _refuse_class(self, rank: int, packed: list[tuple[Queued, bytes]]) -> list[tuple[Queued, bytes]]:
        kept: list[tuple[Queued, bytes]] = []
        for pair in packed:
            if class_of(pair[0].event_type) == rank:
                self.dropped[pair[0].event_type] += 1
                pair[0].tell(False)
            else:
                kept.append(pair)
        return kept

    def _drop_class(self, rank: int, size: int) -> None:
        """Drop events of one class, oldest segment first, until there is room and a twentieth more."""
        goal = self.most_bytes * 0.95 - size
        for number in self._numbers():
            if self.size_bytes() <= goal:
                return
            path = self._path(number)
            types = self._tallies.of_class(number, path, rank)
            if not types:
                continue
            if self._writing.is_open(number):
                self._writing.close()
            self._size = None
            gone = segments.rewrite_without(path, types)
            self._tallies.drop(number, types)
            if gone:
                self._moved(number)
            self.dropped.update(gone)

    def _moved(self, number: int) -> None:
        """Offsets of a rewritten segment have changed: send it from its start, Osler knows what it has."""
        self.generation += 1
        if number == self._position.segment:
            self._position = Position(number, 0)
            (self.folder / "position").unlink(missing_ok=True)

    def _drop_too_old(self, now_seconds: float) -> None:
        if 0 <= now_seconds - self._looked_for_old_at < _LOOK_FOR_OLD_SECONDS:
            return
        self._looked_for_old_at, self._size = now_seconds, None
        oldest = now_seconds - self.most_days * SECONDS_A_DAY
        for number in self._numbers():
            path = self._path(number)
            is_old = path.stat().st_mtime < oldest and not self._writing.is_open(number)
            self._looks[number] = self._looks[number] + 1 if is_old else 0
            if self._looks[number] < _LOOKS:
                continue
            self.dropped.update(record.event_type for record in segments.read_from(path, 0))
            self._tallies.forget(number)
            path.unlink()

    def adopt_dead(self) -> None:
        """Take over what processes that are gone have left; a folder that cannot be read keeps back no other."""
        failed: OSError | None = None
        for lock in dead_folders(self._root, self.folder):
            try:
                self._writing.close()
                self._size = None
                self.torn_bytes += take_over(lock.folder, self.folder, lambda: self._path(self._next_number()))
                shutil.rmtree(lock.folder, ignore_errors=True)
            except OSError as error:
                failed = error
            finally:
                lock.release()
        if failed is not None:
            raise failed

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in segment_files(self.folder)]

    def _next_number(self) -> int:
        """Never one that was used: a position in a segment that is gone must not point into another."""
        return max([self._writing.number, self._position.segment, *self._numbers()]) + 1

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:09d}.seg"

    def close(self) -> None:
        """Give the folder up: an empty one is removed, another is left for the next process to adopt."""
        self._writing.close()
        with suppress(OSError):
            if self._position >= self.end() and not any(self.folder.glob("*.wait")):
                shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.release()

    def abandon(self) -> None:
        """In a forked child: close the copies of the parent's files and touch nothing else."""
        self._writing.close()
        self.lock.release()
