"""What is thrown away first when a queue is full: requests, then beats and progress, attempts and notes last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

_FIRST = frozenset({"api_request"})
_SECOND = frozenset({"session_heartbeat", "material_progress", "session_focus", "video_seek"})
_LAST = frozenset({"question_submit", "flashcard_review", "flashcard_reset", "note_taken", "day_report"})
CLASSES = 4

Waiter = Callable[[bool], None]


_RANKS = {**dict.fromkeys(_FIRST, 0), **dict.fromkeys(_SECOND, 1), **dict.fromkeys(_LAST, 3)}


def class_of(event_type: str) -> int:
    """0 is dropped first, 3 last."""
    return _RANKS.get(event_type, 2)


class Typed(Protocol):
    """Whatever has the type of an event."""

    @property
    def event_type(self) -> str:
        """The event's type."""
        ...


T = TypeVar("T", bound=Typed)


@dataclass(slots=True)
class Queued:
    """One event on its way: its type and learner beside the bytes, so that neither has to be read out of them.

    `waiter` is told once whether the event was fsynced.
    """

    event_type: str
    user_id: str
    body: bytes
    waiter: Waiter | None = None

    def tell(self, is_written: bool) -> None:
        """Tell whoever waits for the disk, the first time."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter(is_written)


_Classes = tuple[deque[tuple[int, T]], ...]


class MemoryQueue(Generic[T]):
    """At most `limit` events, kept by class so that room is made in constant time. Not locked; its owner is."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._by_class: _Classes[T] = _empty()
        self._size = 0
        self._numbers = count()
        self._backwards = count(-1, -1)

    def __len__(self) -> int:
        return self._size

    def put(self, item: T) -> T | None:
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

    def take(self, most: int) -> list[T]:
        """Take the oldest events."""
        taken: list[T] = []
        while self._size and len(taken) < most:
            taken.append(min((queue for queue in self._by_class if queue), key=_first_number).popleft()[1])
            self._size -= 1
        return taken

    def put_back(self, items: Sequence[T]) -> None:
        """What was taken comes first again."""
        for item in reversed(items):
            self._by_class[class_of(item.event_type)].appendleft((next(self._backwards), item))
        self._size += len(items)

    def swap(self) -> _Classes[T]:
        """Take everything in constant time; `in_order` sorts it where nobody waits."""
        taken, self._by_class, self._size = self._by_class, _empty(), 0
        return taken


def _first_number(queue: deque[tuple[int, Any]]) -> int:
    return queue[0][0]


def _empty() -> tuple[deque[tuple[int, Any]], ...]:
    return tuple(deque[tuple[int, Any]]() for _ in range(CLASSES))


def in_order(taken: _Classes[T]) -> list[T]:
    """Events in the order in which they came."""
    numbered = [pair for queue in taken for pair in queue]
    numbered.sort(key=lambda pair: pair[0])
    return [item for _, item in numbered]
