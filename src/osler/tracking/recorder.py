"""The thread that owns the disk: memory to spool every 200 ms. The request path only appends to memory."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from osler import clock
from osler.tracking.noted import CHANCE_BYTES, Noted, Requested, assembled
from osler.tracking.options import TrackingOptions
from osler.tracking.positions import Position
from osler.tracking.priority import MemoryQueue, Queued, in_order
from osler.tracking.spool import Spool

_AT_A_TIME = 64
_REST_SECONDS = 0.0005
"""A request that waits for the interpreter gets it within so many events; a rest of nothing would not let it in."""

log = logging.getLogger("osler.tracking")


@dataclass(slots=True)
class Counts:
    """What became of events, for whoever asks. `dropped` by type; `lost` by type and the code that Osler gave."""

    delivered: int = 0
    batches: int = 0
    failures: int = 0
    disk_failures: int = 0
    torn_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    lost: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


class Recorder:
    """Owns memory and spool of one process. `put` may be called from any thread; it never waits for the disk.

    `spool` may be used only while `disk` is held. A disk that fails leaves events in memory, as many as fit, by the
    order of dropping; it is tried again at every turn.
    """

    def __init__(
        self,
        options: TrackingOptions,
        root: Path,
        counts: Counts,
        on_written: Callable[[], None],
        refuse: Callable[[str, str], None],
    ) -> None:
        self.disk = threading.RLock()
        self.spool: Spool | None = None
        self._root = root
        self._options = options
        self._counts = counts
        self._on_written = on_written
        self._refuse = refuse
        self._memory = threading.Lock()
        self._fresh: deque[Noted | Requested] = deque()
        self._calm_events = min(options.flush_events, options.memory_events)
        self._crowd: MemoryQueue[Noted | Requested] = MemoryQueue(options.memory_events)
        self._held: MemoryQueue[Queued] = MemoryQueue(options.memory_events)
        self._untold: Counter[str] = Counter()
        self._wake = threading.Event()

    # ------------------------------------------------------------------ any thread
    def put(self, item: Noted | Requested) -> None:
        """Queue an event. Its waiter is told False at once when there is no room for it."""
        fresh = self._fresh
        fresh.append(item)
        if item.waiter is not None or len(fresh) >= self._calm_events:
            self._crowded(is_urgent=item.waiter is not None)

    def _crowded(self, *, is_urgent: bool) -> None:
        """Many wait, or somebody does: count, make room where there is none, wake the disk."""
        dropped: list[Noted | Requested] = []
        with self._memory:
            waiting = len(self._fresh) + self._crowd.size
            if waiting > self._options.memory_events:
                dropped = self._sort()
                self._calm_events = 0
        for each in dropped:
            if each.waiter is not None:
                each.waiter(False)
        if is_urgent or (waiting >= self._options.flush_events and not self._wake.is_set()):
            self._wake.set()

    def _sort(self) -> list[Noted | Requested]:
        """What is fresh goes by its class; what there is no room for is given back, and counted."""
        dropped: list[Noted | Requested] = []
        while self._fresh:
            gone = self._crowd.put(self._fresh.popleft())
            if gone is not None:
                self._drop(gone.event_type)
                dropped.append(gone)
        return dropped

    def _taken(self) -> list[Noted | Requested]:
        """Everything that waits, in order. What is put meanwhile comes next time: nothing is ever between two."""
        with self._memory:
            taken = in_order(self._crowd.swap())
            taken += [self._fresh.popleft() for _ in range(len(self._fresh))]
            self._calm_events = min(self._options.flush_events, self._options.memory_events)
            return taken

    def _drop(self, event_type: str) -> None:
        self._untold[event_type] += 1
        self._counts.dropped[event_type] += 1

    def untold(self) -> dict[str, int]:
        """Drops by type that Osler has not been told of."""
        with self._memory:
            return dict(self._untold)

    def told(self, drops: dict[str, int]) -> None:
        """Osler knows of these drops now."""
        with self._memory:
            self._untold -= Counter(drops)

    def to_disk(self, *, is_in_no_hurry: bool = False) -> bool:
        """Write and fsync everything queued so far. False when the disk does not take it."""
        with self.disk:
            fresh = self._assembled(self._taken(), is_in_no_hurry)
            try:
                self._write(fresh)
            except OSError:
                self._fail(fresh)
                return False
            return True

    def has_any(self) -> bool:
        """Whether anything waits in memory."""
        return bool(self._fresh or self._crowd.size or self._held.size)

    def end(self) -> Position | None:
        """The position after everything on disk; None without a disk."""
        with self.disk:
            return None if self.spool is None else self.spool.end()

    # ------------------------------------------------------------------ the thread
    def run(self, stop: threading.Event) -> None:
        """Write until stopped, then once more."""
        while not stop.is_set():
            self._wake.wait(self._options.flush_seconds)
            self._wake.clear()
            self._turn()
        self._turn()

    def wake(self) -> None:
        """Turn now."""
        self._wake.set()

    def _turn(self) -> None:
        try:
            self.to_disk(is_in_no_hurry=True)
        except Exception as error:  # noqa: BLE001 (a thread that died would lose everything after it)
            self._counts.disk_failures += 1
            log.warning("osler: tracking could not write (%s); it goes on", type(error).__name__)

    def _assembled(self, events: list[Noted | Requested], is_in_no_hurry: bool) -> list[Queued]:
        made: list[Queued] = []
        for begin in range(0, len(events), _AT_A_TIME):
            some = events[begin : begin + _AT_A_TIME]
            chance = secrets.token_bytes(CHANCE_BYTES * len(some))
            for n, event in enumerate(some):
                try:
                    queued = assembled(event, chance[CHANCE_BYTES * n : CHANCE_BYTES * (n + 1)])
                except Exception:  # noqa: BLE001 (a host may answer with anything; one event must not cost the others)
                    queued = "schema"
                if isinstance(queued, str):
                    self._refuse(queued, event.event_type)
                else:
                    made.append(queued)
            if is_in_no_hurry and len(some) == _AT_A_TIME:
                clock.pause(_REST_SECONDS)
        return made

    def _hold(self, items: Sequence[Queued]) -> None:
        """Into what waits for the disk; whoever waits for one that has no room hears it."""
        for item in items:
            dropped = self._held.put(item)
            if dropped is not None:
                dropped.tell(False)
                with self._memory:
                    self._drop(dropped.event_type)

    def _write(self, fresh: list[Queued]) -> None:
        """What is held and what is fresh. A disk that failed is tried with a little first: trying costs little then."""
        items = fresh
        if self._held.size:
            self._hold(fresh)
            items = self._held.take(self._options.flush_events)
        try:
            spool = self._open()
            while items:
                spool.append(items, clock.now().timestamp())
                self._on_written()
                items = self._held.take(self._options.memory_events)
        except BaseException:
            (self._hold if items is fresh else self._held.put_back)(items)
            raise
        self._take_counts(spool)

    def _open(self) -> Spool:
        if self.spool is not None and not self.spool.lock.is_in_place():
            log.warning("osler: the spool %s was removed; tracking begins another", self._root)
            self._counts.disk_failures += 1
            self.abandon()
            self.spool = None
        if self.spool is None:
            o = self._options
            self.spool = Spool(
                self._root, segment_bytes=o.segment_bytes, most_bytes=o.spool_bytes, most_days=o.spool_days
            )
        return self.spool

    def _fail(self, fresh: Sequence[Queued]) -> None:
        """What fits stays in memory; who waits for the disk hears that it failed, though the event may yet be sent."""
        self._counts.disk_failures += 1
        if self._counts.disk_failures == 1:
            log.warning("osler: the spool %s cannot be written; events stay in memory", self._root)
        for item in fresh:
            item.tell(False)

    def _take_counts(self, spool: Spool) -> None:
        self._counts.torn_bytes, spool.torn_bytes = self._counts.torn_bytes + spool.torn_bytes, 0
        with self._memory:
            self._untold.update(spool.dropped)
            self._counts.dropped.update(spool.dropped)
        spool.dropped.clear()

    def close(self) -> None:
        """Give up the folder; what is in it waits for the next start."""
        with self.disk:
            if self.spool is not None:
                with suppress(OSError):
                    self._take_counts(self.spool)
                    self.spool.close()
                self.spool = None

    def abandon(self) -> None:
        """In a forked child: the folder is the parent's."""
        if self.spool is not None:
            self.spool.abandon()
