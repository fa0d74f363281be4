"""The thread that owns the network: the oldest batch of the spool to Osler, and what its answer means for the spool."""

from __future__ import annotations

import logging
import secrets
import threading

from osler import __version__, clock
from osler.tracking.delivery import Outcome, envelope, judge
from osler.tracking.options import TrackingOptions
from osler.tracking.pace import MOST_ASKED_SECONDS, Pace
from osler.tracking.positions import Batch, Position
from osler.tracking.recorder import Counts, Recorder
from osler.tracking.segments import Record
from osler.tracking.sinks import Reply, Sink

SDK = f"osler-python/{__version__}"
_IDLE_SECONDS = 1.0
_RESTS, _MOST_REST_SECONDS = 24.0, 1.0
"""After each batch of a backlog, so many times the processor time that it took: the host's requests have the rest."""

log = logging.getLogger("osler.tracking")


class Courier:
    """Takes batches from the spool of a recorder to a sink, until it is stopped. `counts` says what became of them."""

    def __init__(self, sink: Sink, options: TrackingOptions, recorder: Recorder, counts: Counts) -> None:
        self.next_adoption_at = 0.0
        self._sink = sink
        self._options = options
        self._recorder = recorder
        self._counts = counts
        self._pace = Pace(options)
        self._due = threading.Event()
        self._hurry = threading.Event()
        self._answered = threading.Condition()
        self._erased: dict[str, Position] = {}
        self._batch_events = options.batch_events
        self._told = ""

    # ------------------------------------------------------------------ any thread
    def written(self) -> None:
        """There is something to send. A courier that has to wait anyway wakes by itself."""
        if self._pace.is_due(clock.monotonic_seconds()):
            self._due.set()

    def begin(self) -> None:
        """There may be something from an earlier process."""
        self._hurry.clear()
        self._due.set()

    def hurry_to_the_end(self) -> None:
        """Rest no more: it is to stop."""
        self._hurry.set()
        self._due.set()

    def wait_until_past(self, target: Position, end: float) -> bool:
        """Wait, until a time, until Osler has answered everything before a position; without rests meanwhile."""
        self._pace.hurry()
        self._hurry.set()
        self._due.set()
        try:
            with self._answered:
                while not self._is_past(target):
                    left = end - clock.monotonic_seconds()
                    if left <= 0 or not self._answered.wait(left):
                        return self._is_past(target)
            return True
        finally:
            self._hurry.clear()

    def _is_past(self, target: Position) -> bool:
        with self._recorder.disk:
            return self._recorder.spool is None or self._recorder.spool.is_past(target)

    # ------------------------------------------------------------------ the thread
    def run(self, stop: threading.Event) -> None:
        """Send until stopped."""
        try:
            while not stop.is_set():
                left = self._pace.seconds_left(clock.monotonic_seconds())
                self._due.wait(min(_IDLE_SECONDS, left) if left > 0 else _IDLE_SECONDS)
                self._due.clear()
                self._turn(stop)
        finally:
            self._sink.close()

    def _turn(self, stop: threading.Event) -> None:
        try:
            self._adopt()
            while not stop.is_set() and self._pace.is_due(clock.monotonic_seconds()):
                began = clock.thread_seconds()
                if not self._send_once():
                    return
                self._hurry.wait(min(_MOST_REST_SECONDS, _RESTS * (clock.thread_seconds() - began)))
        except Exception as error:  # noqa: BLE001 (a thread that died would send nothing any more)
            self._back_off(None, type(error).__name__, is_absent=False)

    def _adopt(self) -> None:
        """At the start and now and then: what other processes left when they died, and what has become due."""
        now = clock.monotonic_seconds()
        if now < self.next_adoption_at or not self._recorder.to_disk():
            return
        with self._recorder.disk:
            if self._recorder.spool is not None:
                self.next_adoption_at = now + self._options.adopt_seconds
                self._recorder.spool.adopt_dead()

    def _peek(self) -> Batch | None:
        o = self._options
        with self._recorder.disk:
            spool = self._recorder.spool
            if spool is None:
                return None
            spool.release_due(clock.unix_ms(), round(MOST_ASKED_SECONDS * 1000))
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
        reply = self._sink.send(envelope(records, clock.now(), self._pace.attempt, SDK, drops))
        outcome = judge(records, reply)
        if outcome.split:
            self._batch_events = max(1, len(records) // 2)
            return True
        if outcome.failed:
            self._back_off(outcome.wait_seconds, _said(reply), is_absent=reply.status == 0)
        else:
            self._succeeded(records, outcome, drops)
        if outcome.keep or not outcome.failed:
            self._advance(batch, outcome)
        if batch.is_last and not outcome.failed:
            self._pace.rest(clock.monotonic_seconds())
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
            by_due.setdefault(now_ms + round(min(wait, MOST_ASKED_SECONDS) * 1000), []).append(kept.record)
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
        if self._told:
            log.warning("osler: batches are taken again")
        self._told = ""
        self._pace.succeeded()
        self._batch_events = min(self._options.batch_events, self._batch_events * 2)
        self._recorder.told(drops)
        self._counts.batches += 1
        self._counts.delivered += len(records) - len(outcome.keep) - len(outcome.lost)
        self._counts.lost.update(outcome.lost)

    def _back_off(self, asked_seconds: float | None, why: str, *, is_absent: bool) -> None:
        """Wait before the next try; each reason is told once, until a batch is taken."""
        self._counts.failures += 1
        if why != self._told:
            self._told = why
            log.warning("osler: a batch was not taken (%s); events wait on disk and are sent again", why)
        chance = secrets.randbelow(1 << 20) / (1 << 20)
        self._pace.failed(clock.monotonic_seconds(), asked_seconds, is_absent=is_absent, chance=chance)


def _said(reply: Reply) -> str:
    if reply.status in {401, 403}:
        return f"answer {reply.status}: the token has run out, or lacks a scope"
    if reply.status == 200:
        return "an answer without the events' results"
    return f"answer {reply.status}" if reply.status else reply.why or "nobody answered"
