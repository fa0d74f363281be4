"""What is thrown away first when a queue is full: requests, then beats and progress, attempts and notes last."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_FIRST = frozenset({"api_request"})
_SECOND = frozenset({"session_heartbeat", "material_progress", "session_focus", "video_seek"})
_LAST = frozenset({"question_submit", "flashcard_review", "flashcard_reset", "note_taken", "day_report"})
CLASSES = 4


def class_of(event_type: str) -> int:
    """0 is dropped first, 3 last."""
    if event_type in _FIRST:
        return 0
    if event_type in _SECOND:
        return 1
    return 3 if event_type in _LAST else 2


@dataclass(frozen=True, slots=True)
class Queued:
    """One event on its way: its type and learner beside the bytes, so that neither has to be read out of them."""

    number: int
    event_type: str
    user_id: str
    body: bytes


@dataclass(slots=True)
class MemoryQueue:
    """At most `limit` events, kept by class so that room is made in constant time. Not locked; its owner is."""

    limit: int
    _by_class: tuple[deque[Queued], ...] = field(default_factory=lambda: tuple(deque[Queued]() for _ in range(CLASSES)))
    _size: int = 0
    _count: int = 0

    def __len__(self) -> int:
        return self._size

    def put(self, event_type: str, user_id: str, body: bytes) -> str | None:
        """Queue an event. Returns the type of the event that was dropped for want of room: another, or this one."""
        rank = class_of(event_type)
        dropped = None
        if self._size >= self.limit:
            lowest = next((n for n in range(rank) if self._by_class[n]), None)
            if lowest is None:
                return event_type
            dropped = self._by_class[lowest].popleft().event_type
            self._size -= 1
        self._count += 1
        self._by_class[rank].append(Queued(self._count, event_type, user_id, body))
        self._size += 1
        return dropped

    def take_all(self) -> list[Queued]:
        """Everything queued, in the order in which it came."""
        taken = sorted((item for queue in self._by_class for item in queue), key=lambda item: item.number)
        for queue in self._by_class:
            queue.clear()
        self._size = 0
        return taken
