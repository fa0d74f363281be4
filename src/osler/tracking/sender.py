"""The two threads' common beginning and end: memory to spool to Osler, closed and used again, forked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

from osler import clock
from osler.tracking.courier import Courier
from osler.tracking.noted import Noted, Requested
from osler.tracking.options import TrackingOptions
from osler.tracking.recorder import Counts, Recorder
from osler.tracking.sinks import Sink

_STOP_SHARE = 0.7
"""Of the time for shutting down, what is spent on sending; the rest is for the disk."""


class Sender:
    """Takes events in memory, keeps them on disk, sends them. Threads begin with the first event or with `start`.

    It may be closed and used again, and a forked child begins anew with a folder and threads of its own.
    """

    def __init__(self, sink: Sink, options: TrackingOptions, root: Path, refuse: Callable[[str, str], None]) -> None:
        self._sink = sink
        self._options = options
        self._root = root
        self._refuse = refuse
        self._begin_anew()
        _every_sender.add(self)

    def _begin_anew(self) -> None:
        self.counts = Counts()
        self._recorder = Recorder(self._options, self._root, self.counts, self._written, self._refuse)
        self._courier = Courier(self._sink, self._options, self._recorder, self.counts)
        self._starting = threading.Lock()
        self._stop: threading.Event | None = None
        self._threads: list[threading.Thread] = []

    def _written(self) -> None:
        self._courier.written()

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
            self._courier.begin()
            self._threads = [
                threading.Thread(target=self._recorder.run, args=(stop,), name="osler-tracking-disk", daemon=True),
                threading.Thread(target=self._courier.run, args=(stop,), name="osler-tracking-net", daemon=True),
            ]
            try:
                for thread in self._threads:
                    thread.start()
            except RuntimeError:  # the interpreter is shutting down, or the machine has no threads left
                stop.set()
                self._threads = []
                return
            self._stop = stop

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
        return target is None or self._courier.wait_until_past(target, end)

    def close(self) -> None:
        """Send what can be sent within the shutdown time; the rest stays on disk."""
        with self._starting:
            stop = self._stop
        if stop is None:
            self._keep_what_is_left()
            return
        end = clock.monotonic_seconds() + self._options.shutdown_seconds
        self.wait_until_answered(self._options.shutdown_seconds * _STOP_SHARE)
        stop.set()
        self._recorder.wake()
        self._courier.hurry_to_the_end()
        self._join(end)
        with self._starting:
            self._stop, self._threads = None, []
        self._keep_what_is_left()

    def _keep_what_is_left(self) -> None:
        """What came while it closed, or after threads could no longer begin: on disk it waits for the next process."""
        if self._recorder.has_any():
            self._recorder.to_disk()
        self._recorder.close()

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
        self._begin_anew()


_every_sender: WeakSet[Sender] = WeakSet()


def _forget_parents() -> None:
    for sender in list(_every_sender):
        sender.forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
