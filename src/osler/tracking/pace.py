"""When the next batch may go: at once, after a rest, after a back-off, or when Osler has said. No clock, no chance."""

from __future__ import annotations

from osler.tracking.options import TrackingOptions

MOST_ASKED_SECONDS = 86_400.0
"""The longest wait that Osler may ask for: a time beyond it is a mistake."""


class Pace:
    """The waits of one sender. `now` is any clock that never goes back; `attempt` counts tries of what is sent next.

    Read and written by two threads without a lock: either value of a time only shifts a wake-up.
    """

    def __init__(self, options: TrackingOptions) -> None:
        self.attempt = 1
        self._options = options
        self._failures = 0
        self._next_at = 0.0
        self._is_asked = False

    def is_due(self, now: float) -> bool:
        """Whether a batch may go."""
        return now >= self._next_at

    def seconds_left(self, now: float) -> float:
        """Until one may."""
        return max(0.0, self._next_at - now)

    def hurry(self) -> None:
        """Somebody waits: our own back-off is cut short, a time that Osler asked for is not."""
        if not self._is_asked:
            self._next_at = 0.0

    def succeeded(self) -> None:
        """Osler has taken a batch."""
        self._failures, self.attempt, self._is_asked = 0, 1, False

    def rest(self, now: float) -> None:
        """Nothing waits any more: what comes next is sent together."""
        self._next_at = now + self._options.send_seconds

    def failed(self, now: float, asked_seconds: float | None, *, is_absent: bool, chance: float) -> None:
        """Full jitter, doubling, by a `chance` from 0 to 1; after `circuit_failures` in a row half of it at least."""
        o = self._options
        self._failures += 1
        self.attempt += 1
        self._is_asked = asked_seconds is not None
        if asked_seconds is not None:
            self._next_at = now + min(asked_seconds, MOST_ASKED_SECONDS)
            return
        most = o.absent_most_seconds if is_absent else o.backoff_most_seconds
        limit = min(most, o.backoff_first_seconds * 2.0 ** min(self._failures - 1, 30))
        wait = limit * chance
        if self._failures >= o.circuit_failures:
            wait = max(wait, limit / 2)
        self._next_at = now + wait
