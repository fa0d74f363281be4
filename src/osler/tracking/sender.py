"""The thread that owns the disk and the network: memory to spool every 200 ms, spool to Osler in batches."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from osler import __version__, clock
from osler.tracking.delivery import Outcome, envelope, judge
from osler.tracking.options import TrackingOptions
from osler.tracking.priority import MemoryQueue, Queued
from osler.tracking.segments import Record
from osler.tracking.sinks import Sink
from osler.tracking.spool import Position, Spool

SDK = f"osler-python/{__version__}"
Waiter = Callable[[bool], None]


@dataclass(slots=True)
class Counts:
    """What became of events, for whoever asks."""

    delivered: int = 0
    batches: int = 0
    failures: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    lost: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


class Sender:
    """Owns the queue. `put` may be called from any thread and only appends to memory."""

    def __init__(self, sink: Sink, options: TrackingOptions) -> None:
        self.counts = Counts()
        self._sink = sink
        self._options = options
        self._guard = threading.Lock()
        self._queue = MemoryQueue(options.memory_events)
        self._waiters: list[Waiter] = []
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._spool: Spool | None = None
        self._untold: Counter[str] = Counter()
        self._purged: set[str] = set()
        self._failures = 0
        self._attempt = 1
        self._batch_events = options.batch_events
        self._next_send_at = 0.0

    # ------------------------------------------------------------------ any thread
    def put(self, event_type: str, user_id: str, body: bytes, waiter: Waiter | None = None) -> None:
        """Queue an event. `waiter` is called with True once it has been fsynced, False if it could not be."""
        with self._guard:
            dropped = self._queue.put(event_type, user_id, body)
            if dropped is not None:
                self._untold[dropped] += 1
                self.counts.dropped[dropped] += 1
            if waiter is not None:
                self._waiters.append(waiter)
            is_full = len(self._queue) >= self._options.flush_events
            if self._thread is None:
                self._start()
        self._idle.clear()
        if waiter is not None or is_full:
            self._wake.set()

    def wait_until_sent(self, timeout_seconds: float) -> bool:
        """Wait until everything queued so far has been answered. False when the time ran out."""
        self._next_send_at = 0.0
        self._wake.set()
        return self._thread is None or self._idle.wait(timeout_seconds)

    def close(self) -> None:
        """Send what can be sent within the shutdown time; the rest stays on disk."""
        if self._thread is None:
            self._sink.close()
            return
        self.wait_until_sent(self._options.shutdown_seconds)
        self._stop.set()
        self._wake.set()
        self._thread.join(self._options.shutdown_seconds)

    # ------------------------------------------------------------------ the thread
    def start(self) -> None:
        """Start the thread now, so that what an earlier process left on disk is sent without a new event."""
        with self._guard:
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="osler-tracking", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wake.wait(self._options.flush_seconds)
                self._wake.clear()
                self._turn()
            self._to_disk()
        finally:
            if self._spool is not None:
                self._spool.close()
            self._sink.close()

    def _turn(self) -> None:
        self._to_disk()
        while not self._stop.is_set() and clock.monotonic_seconds() >= self._next_send_at and self._send_once():
            self._to_disk()

    def _to_disk(self) -> None:
        with self._guard:
            items, waiters = self._queue.take_all(), self._waiters
            self._waiters = []
        is_safe = self._write(items)
        for waiter in waiters:
            waiter(is_safe)

    def _write(self, items: list[Queued]) -> bool:
        spool = self._open_spool()
        if spool is None:
            self._put_back(items)
            return False
        try:
            spool.append(item for item in items if item.user_id not in self._purged)
        except OSError:
            self._put_back(items)
            return False
        self._count_dropped(spool)
        return True

    def _open_spool(self) -> Spool | None:
        if self._spool is None:
            o = self._options
            with contextlib.suppress(OSError):
                self._spool = Spool(
                    o.spool, segment_bytes=o.segment_bytes, most_bytes=o.spool_bytes, most_days=o.spool_days
                )
        return self._spool

    def _put_back(self, items: list[Queued]) -> None:
        """The disk does not take them now: memory keeps what it can, by the order of dropping."""
        with self._guard:
            newer = self._queue.take_all()
            for item in [*items, *newer]:
                dropped = self._queue.put(item.event_type, item.user_id, item.body)
                if dropped is not None:
                    self._untold[dropped] += 1
                    self.counts.dropped[dropped] += 1

    def _count_dropped(self, spool: Spool) -> None:
        self._untold.update(spool.dropped)
        self.counts.dropped.update(spool.dropped)
        spool.dropped.clear()

    def _send_once(self) -> bool:
        """Send the oldest batch. True when another should follow at once."""
        spool = self._spool
        if spool is None:
            return False
        batch, after = spool.peek(self._batch_events, self._options.batch_bytes)
        records = [record for record in batch if record.user_id not in self._purged]
        if not batch:
            if not len(self._queue):
                self._idle.set()
            return False
        if not records:
            spool.advance(after)
            return True
        told = dict(self._untold)
        reply = self._sink.send(envelope(records, clock.now(), self._attempt, SDK, told))
        return self._settle(spool, records, judge(records, reply), after, told)

    def _settle(
        self, spool: Spool, records: list[Record], outcome: Outcome, after: Position, told: dict[str, int]
    ) -> bool:
        if outcome.split:
            self._batch_events = max(1, len(records) // 2)
            return True
        if outcome.failed:
            self._back_off(outcome.wait_seconds)
            return False
        self._succeeded(records, outcome, told)
        if outcome.keep:
            # Kept events go to the tail, so that one that waits does not hold up all that come after it.
            spool.append(Queued(0, r.event_type, r.user_id, r.body) for r in outcome.keep)
        spool.advance(after)
        if outcome.keep:
            self._next_send_at = clock.monotonic_seconds() + (
                outcome.wait_seconds or self._options.backoff_first_seconds
            )
        return not outcome.keep

    def _succeeded(self, records: list[Record], outcome: Outcome, told: dict[str, int]) -> None:
        self._failures = 0
        self._attempt = 1
        self._batch_events = min(self._options.batch_events, self._batch_events * 2)
        self._untold -= Counter(told)
        self._purged |= outcome.purged
        self.counts.batches += 1
        self.counts.delivered += len(records) - len(outcome.keep) - len(outcome.lost)
        self.counts.lost.update(outcome.lost)

    def _back_off(self, asked_seconds: float | None) -> None:
        """Full jitter, doubling; after `circuit_failures` in a row only one try in the longest interval."""
        self.counts.failures += 1
        self._failures += 1
        self._attempt += 1
        most = self._options.backoff_most_seconds
        limit = min(most, self._options.backoff_first_seconds * 2 ** (self._failures - 1))
        share = secrets.randbelow(1 << 20) / (1 << 20)
        wait = asked_seconds if asked_seconds is not None else share * limit
        if self._failures >= self._options.circuit_failures and asked_seconds is None:
            wait = max(wait, limit / 2)
        self._next_send_at = clock.monotonic_seconds() + min(wait, most)
