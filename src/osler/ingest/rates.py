"""How many events a learner or an address may send: a bucket that refills slowly, so that a long sync passes."""

from __future__ import annotations

from collections import OrderedDict

from osler.ingest.limits import BUCKET_EVENTS, BUCKET_REFILL_PER_SECOND, LEARNERS_AN_ADDRESS

MOST_KEPT = 100_000


class EventBuckets:
    """One bucket for each learner or address that this process has seen lately; a full one is forgotten first."""

    def __init__(self, size: int = BUCKET_EVENTS, refill_per_second: float = BUCKET_REFILL_PER_SECOND) -> None:
        self._size = size
        self._refill = refill_per_second
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, user_id: str, events: int, at_seconds: float) -> bool:
        """Take so many events out, if they are there. `at_seconds` is a monotonic clock's."""
        level, since = self._levels.pop(user_id, (float(self._size), at_seconds))
        level = min(self._size, level + (at_seconds - since) * self._refill)
        granted = level >= events
        self._levels[user_id] = (level - events if granted else level, at_seconds)
        if len(self._levels) > MOST_KEPT:
            self._levels.popitem(last=False)
        return granted

    def seconds_until(self, user_id: str, events: int) -> int:
        """How long until that many are there."""
        level, _ = self._levels.get(user_id, (float(self._size), 0.0))
        return max(1, int((min(events, self._size) - level) / self._refill) + 1)


def of_addresses() -> EventBuckets:
    """Buckets for addresses, each as large as those of fifty learners."""
    return EventBuckets(BUCKET_EVENTS * LEARNERS_AN_ADDRESS, BUCKET_REFILL_PER_SECOND * LEARNERS_AN_ADDRESS)
