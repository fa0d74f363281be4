"""What is thrown away first when a queue is full: requests, then beats and progress, attempts and notes last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

_FIRST = frozenset({"api_request"})
_SECOND = frozenset({"session_heartbeat", "material_progress", "session_focus", "video_seek"})
_LAST = frozenset({"question_submit", "flashcard_review", "flashcard_reset", "note_taken", "day_report"})
CLASSES = 4

Waiter = Callable[[bool], None]


def class_of(event_type: str) -> int:
    """0 is dropped first, 3 last."""
    if event_type in _FIRST:
        return 0
    if event_type in _SECOND:
        return 1
    return 3 if event_type in _LAST else 2


@dataclass(frozen=True, slots=True)
class Queued:
    """One event on its way: its type and learner beside the bytes, so that neither has to be read out of them.

    `waiter` is told once whether the event was fsynced.
    """

    event_type: str
    user_id: str
    body: bytes
    waiter: Waiter | None = None

    def tell(self, is_written: bool) -> None:
        """Tell whoever waits for the disk."""
        if self.waiter is not None:
            self.waiter(is_written)


_Classes = tuple[deque[tuple[int, Queued]], ...]


def _empty() -> _Classes:
    return tuple(deque[tuple[int, Queued]]() for _ in range(CLASSES))


@dataclass(slots=True)
class MemoryQueue:
    """At most `limit` events, kept by class so that room is made in constant time. Not locked; its owner is."""

    limit: int
    _by_class: _Classes = field(default_factory=_empty)
    _size: int = 0
    _numbers: count[int] = field(default_factory=count)

    def __len__(self) -> int:
        return self._size

    def put(self, item: Queued) -> Queued | None:
        """Queue an event. Returns the event that was dropped for want of room: an older one, or this one."""
        rank = class_of(item.event_type)
        dropped = None
        if self._size >= self.limit:
            lowest = next((n for n in range(rank + 1) if self._by_class[n]), None)
            if lowest is None or lowest == rank:
                return item
            dropped = self._by_class[lowest].popleft()[1]
            self._size -= 1
        self._by_class[rank].append((next(self._numbers), item))
        self._size += 1
        return dropped

    def swap(self) -> _Classes:
        """Take everything in constant time; `in_order` sorts it where nobody waits."""
        taken, self._by_class, self._size = self._by_class, _empty(), 0
        return taken


def in_order(taken: _Classes) -> list[Queued]:
    """Events in the order in which they came."""
    numbered = [pair for queue in taken for pair in queue]
    numbered.sort(key=lambda pair: pair[0])
    return [item for _, item in numbered]
