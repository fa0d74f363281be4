"""What is thrown away first when a queue is full: requests, then beats and progress, attempts and notes last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

import msgspec

_FIRST = frozenset({"api_request"})
_SECOND = frozenset({"session_heartbeat", "material_progress", "session_focus", "video_seek"})
_LAST = frozenset({"question_submit", "flashcard_review", "flashcard_reset", "note_taken", "day_report"})
CLASSES = 4

Waiter = Callable[[bool], None]


_RANKS = {**dict.fromkeys(_FIRST, 0), **dict.fromkeys(_SECOND, 1), **dict.fromkeys(_LAST, 3)}
_OTHERS = 2


def class_of(event_type: str) -> int:
    """0 is dropped first, 3 last."""
    return _RANKS.get(event_type, _OTHERS)


class Waiting(Protocol):
    """Whatever has the type of an event, and room for its number in the queue."""

    number: int

    @property
    def event_type(self) -> str:
        """The event's type."""
        ...


T = TypeVar("T", bound=Waiting)


class Queued(msgspec.Struct, gc=False):
    """One event on its way: its type and learner beside the bytes, so that neither has to be read out of them.

    `waiter` is told once whether the event was fsynced. `number` is its queue's.
    """

    event_type: str
    user_id: str
    body: bytes
    waiter: Waiter | None = None
    number: int = 0

    def tell(self, is_written: bool) -> None:
        """Tell whoever waits for the disk, the first time."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter(is_written)


_Classes = tuple[deque[T], ...]


class MemoryQueue(Generic[T]):
    """At most `limit` events, kept by class so that room is made in constant time. Not locked; its owner is.

    `size` is how many wait.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._by_class: _Classes[T] = _empty()
        self._numbers = count()

    def put(self, item: T) -> T | None:
        """Queue an event. Returns the event that was dropped for want of room: an older one, or this one."""
        rank = _RANKS.get(item.event_type, _OTHERS)
        dropped = None
        if self.size >= self.limit:
            lowest = next((n for n in range(rank + 1) if self._by_class[n]), None)
            if lowest is None or lowest == rank:
                return item
            dropped = self._by_class[lowest].popleft()
            self.size -= 1
        item.number = next(self._numbers)
        self._by_class[rank].append(item)
        self.size += 1
        return dropped

    def take(self, most: int) -> list[T]:
        """Take the oldest events."""
        taken: list[T] = []
        while self.size and len(taken) < most:
            taken.append(min((queue for queue in self._by_class if queue), key=_first_number).popleft())
            self.size -= 1
        return taken

    def put_back(self, items: Sequence[T]) -> None:
        """What was taken comes first again: each has its number still."""
        for item in reversed(items):
            self._by_class[class_of(item.event_type)].appendleft(item)
        self.size += len(items)

    def swap(self) -> _Classes[T]:
        """Take everything in constant time; `in_order` sorts it where nobody waits."""
        taken, self._by_class, self.size = self._by_class, _empty(), 0
        return taken


def _first_number(queue: deque[Any]) -> int:
    return queue[0].number


def _empty() -> tuple[deque[Any], ...]:
    return tuple(deque[Any]() for _ in range(CLASSES))


def in_order(taken: _Classes[T]) -> list[T]:
    """Events in the order in which they came."""
    return sorted((item for queue in taken for item in queue), key=attrgetter("number"))
