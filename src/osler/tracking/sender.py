"""The thread that owns the network, spool to Osler in batches, and the two threads' common beginning and end."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

from osler import __version__, clock
from osler.tracking.delivery import Outcome, envelope, judge
from osler.tracking.noted import Noted, Requested
from osler.tracking.options import TrackingOptions
from osler.tracking.positions import Batch, Position
from osler.tracking.recorder import Counts, Recorder
from osler.tracking.segments import Record
from osler.tracking.sinks import Sink

SDK = f"osler-python/{__version__}"
_IDLE_SECONDS = 1.0
_MOST_ASKED_SECONDS = 86_400.0
_RESTS, _MOST_REST_SECONDS = 24.0, 1.0
"""After each batch of a backlog, so many times the processor time that it took: the host's requests have the rest."""
_STOP_SHARE = 0.7
"""Of the time for shutting down, what is spent on sending; the rest is for the disk."""

log = logging.getLogger("osler.tracking")


class Sender:
    """Takes events in memory, keeps them on disk, sends them. Threads begin with the first event or with `start`.

    It may be closed and used again, and a forked child begins anew with a folder and threads of its own.
    """

    def __init__(self, sink: Sink, options: TrackingOptions, root: Path, refuse: Callable[[str, str], None]) -> None:
        self.counts = Counts()
        self._sink = sink
        self._options = options
        self._root = root
        self._refuse = refuse
        self._begin_anew()
        _every_sender.add(self)

    def _begin_anew(self) -> None:
        self._due = threading.Event()
        self._recorder = Recorder(self._options, self._root, self.counts, self._written, self._refuse)
        self._starting = threading.Lock()
        self._stop: threading.Event | None = None
        self._threads: list[threading.Thread] = []
        self._answered = threading.Condition()
        self._erased: dict[str, Position] = {}
        self._failures = 0
        self._attempt = 1
        self._batch_events = self._options.batch_events
        self._next_send_at = 0.0  # read and written by both threads; either value only shifts a wake-up
        self._next_adoption_at = 0.0
        self._is_waiting_asked = False
        self._hurry = threading.Event()

    # ------------------------------------------------------------------ any thread
    def _written(self) -> None:
        """There is something to send. A sender that has to wait anyway wakes by itself."""
        if clock.monotonic_seconds() >= self._next_send_at:
            self._due.set()

    def put(self, noted: Noted | Requested) -> None:
        """Queue an event. Its waiter is called with True once it has been fsynced, False if it could not be."""
        self._recorder.put(noted)
        if self._stop is None:
            self.start()

    def start(self) -> None:
        """Start the threads now, so that what an earlier process left on disk is sent without a new event."""
        with self._starting:
            if self._stop is not None:
                return
            stop = threading.Event()
            self._hurry.clear()
            self._threads = [
                threading.Thread(target=self._recorder.run, args=(stop,), name="osler-tracking-disk", daemon=True),
                threading.Thread(target=self._run, args=(stop,), name="osler-tracking-net", daemon=True),
            ]
            try:
                for thread in self._threads:
                    thread.start()
            except RuntimeError:  # the interpreter is shutting down, or the machine has no threads left
                stop.set()
                self._threads = []
                return
            self._stop = stop
            self._due.set()

    def wait_until_answered(self, timeout_seconds: float) -> bool:
        """Wait until Osler has answered everything queued so far. False when the time ran out, or without a disk.

        Our own back-off is cut short; a time that Osler asked for is not.
        """
        end = clock.monotonic_seconds() + timeout_seconds
        if self._stop is None:
            return True
        if not self._recorder.to_disk():
            return False
        target = self._recorder.end()
        if target is None:
            return True
        if not self._is_waiting_asked:
            self._next_send_at = 0.0
        self._due.set()
        self._hurry.set()
        try:
            return self._wait_until_past(target, end)
        finally:
            self._hurry.clear()

    def _wait_until_past(self, target: Position, end: float) -> bool:
        with self._answered:
            while not self._is_past(target):
                left = end - clock.monotonic_seconds()
                if left <= 0 or not self._answered.wait(left):
                    return self._is_past(target)
        return True

    def _is_past(self, target: Position) -> bool:
        with self._recorder.disk:
            return self._recorder.spool is None or self._recorder.spool.is_past(target)

    def close(self) -> None:
        """Send what can be sent within the shutdown time; the rest stays on disk."""
        with self._starting:
            stop = self._stop
        if stop is None:
            return
        end = clock.monotonic_seconds() + self._options.shutdown_seconds
        self.wait_until_answered(self._options.shutdown_seconds * _STOP_SHARE)
        stop.set()
        self._hurry.set()
        self._recorder.wake()
        self._due.set()
        self._join(end)
        self._recorder.to_disk()
        self._recorder.close()
        with self._starting:
            self._stop, self._threads = None, []

    def _join(self, end: float) -> None:
        """An exchange may be about to begin: interrupt until the threads are gone or the time is over."""
        while any(thread.is_alive() for thread in self._threads) and clock.monotonic_seconds() < end:
            self._sink.interrupt()
            for thread in self._threads:
                thread.join(0.02)

    def forget_parent(self) -> None:
        """In a forked child: threads did not come along, and queue, folder and connections are the parent's."""
        self._recorder.abandon()
        self._sink.abandon()
        self.counts = Counts()
        self._begin_anew()

    # ------------------------------------------------------------------ the thread
    def _run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self._due.wait(self._seconds_to_wait())
                self._due.clear()
                self._turn(stop)
        finally:
            self._sink.close()

    def _seconds_to_wait(self) -> float:
        left = self._next_send_at - clock.monotonic_seconds()
        return min(_IDLE_SECONDS, left) if left > 0 else _IDLE_SECONDS

    def _turn(self, stop: threading.Event) -> None:
        try:
            self._adopt()
            while not stop.is_set() and clock.monotonic_seconds() >= self._next_send_at:
                began = clock.thread_seconds()
                if not self._send_once():
                    return
                self._hurry.wait(min(_MOST_REST_SECONDS, _RESTS * (clock.thread_seconds() - began)))
        except Exception as error:  # noqa: BLE001 (a thread that died would send nothing any more)
            log.warning("osler: tracking could not send (%s); it goes on", type(error).__name__)
            self._back_off(None, is_absent=False)

    def _adopt(self) -> None:
        """At the start and now and then: what other processes left when they died, and what has become due."""
        now = clock.monotonic_seconds()
        if now < self._next_adoption_at:
            return
        if not self._recorder.to_disk():
            return
        with self._recorder.disk:
            if self._recorder.spool is not None:
                self._next_adoption_at = now + self._options.adopt_seconds
                self._recorder.spool.adopt_dead()

    def _peek(self) -> Batch | None:
        o = self._options
        with self._recorder.disk:
            spool = self._recorder.spool
            if spool is None:
                return None
            spool.release_due(clock.unix_ms())
            return spool.peek(most_events=self._batch_events, most_bytes=o.batch_bytes, most_learners=o.batch_learners)

    def _send_once(self) -> bool:
        """Send the oldest batch. True when another should follow at once."""
        batch = self._peek()
        if batch is None or not batch.records:
            self._tell_answered()
            return False
        records = [record for record in batch.records if not self._is_erased(record)]
        if not records:
            self._advance(batch, Outcome())
            return True
        drops = self._recorder.untold()
        reply = self._sink.send(envelope(records, clock.now(), self._attempt, SDK, drops))
        outcome = judge(records, reply)
        if outcome.split:
            self._batch_events = max(1, len(records) // 2)
            return True
        if outcome.failed:
            self._back_off(outcome.wait_seconds, is_absent=reply.status == 0)
        else:
            self._succeeded(records, outcome, drops)
        if outcome.keep or not outcome.failed:
            self._advance(batch, outcome)
        if batch.is_last and not outcome.failed:
            self._next_send_at = clock.monotonic_seconds() + self._options.send_seconds
        return not outcome.failed

    def _is_erased(self, record: Record) -> bool:
        end = self._erased.get(record.user_id)
        return end is not None and Position(record.segment, record.end) <= end

    def _advance(self, batch: Batch, outcome: Outcome) -> None:
        """Forget what was answered. What is kept is on disk again, for later, before it is forgotten here."""
        now_ms = clock.unix_ms()
        by_due: dict[int, list[Record]] = {}
        for kept in outcome.keep:
            wait = self._options.backoff_first_seconds if kept.wait_seconds is None else kept.wait_seconds
            if outcome.failed:
                wait = self._options.backoff_most_seconds
            by_due.setdefault(now_ms + round(min(wait, _MOST_ASKED_SECONDS) * 1000), []).append(kept.record)
        with self._recorder.disk:
            spool = self._recorder.spool
            if spool is None or batch.generation != spool.generation:
                return
            for due_ms, records in by_due.items():
                spool.park(records, due_ms)
            spool.advance(batch.after, batch.generation)
            for user_id in outcome.erased:
                self._erased[user_id] = spool.end()
            self._erased = {user: end for user, end in self._erased.items() if end > batch.after}
        self._tell_answered()

    def _tell_answered(self) -> None:
        with self._answered:
            self._answered.notify_all()

    def _succeeded(self, records: list[Record], outcome: Outcome, drops: dict[str, int]) -> None:
        self._failures, self._attempt, self._is_waiting_asked = 0, 1, False
        self._batch_events = min(self._options.batch_events, self._batch_events * 2)
        self._recorder.told(drops)
        self.counts.batches += 1
        self.counts.delivered += len(records) - len(outcome.keep) - len(outcome.lost)
        self.counts.lost.update(outcome.lost)

    def _back_off(self, asked_seconds: float | None, *, is_absent: bool) -> None:
        """Full jitter, doubling; after `circuit_failures` in a row only one try in the longest interval."""
        o = self._options
        self.counts.failures += 1
        self._failures += 1
        self._attempt += 1
        self._is_waiting_asked = asked_seconds is not None
        if asked_seconds is not None:
            self._next_send_at = clock.monotonic_seconds() + min(asked_seconds, _MOST_ASKED_SECONDS)
            return
        most = o.absent_most_seconds if is_absent else o.backoff_most_seconds
        limit = min(most, o.backoff_first_seconds * 2.0 ** min(self._failures - 1, 30))
        wait = limit * secrets.randbelow(1 << 20) / (1 << 20)
        if self._failures >= o.circuit_failures:
            wait = max(wait, limit / 2)
        self._next_send_at = clock.monotonic_seconds() + wait


_every_sender: WeakSet[Sender] = WeakSet()


def _forget_parents() -> None:
    for sender in list(_every_sender):
        sender.forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
