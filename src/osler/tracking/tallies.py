"""What kinds of events each segment holds, so that making room reads only segments that give some."""

from __future__ import annotations

from pathlib import Path

from osler.tracking import segments
from osler.tracking.priority import class_of


class Tallies:
    """Types of events by the number of their segment; one that was not written here is read once."""

    def __init__(self) -> None:
        self._types: dict[int, set[str]] = {}

    def begin(self, number: int) -> None:
        """A segment begins here: whatever it holds will be told."""
        self._types[number] = set()

    def add(self, number: int, event_types: set[str]) -> None:
        """These types were appended to a segment."""
        if number in self._types:
            self._types[number] |= event_types

    def of_class(self, number: int, path: Path, rank: int) -> list[str]:
        """The types of one class that a segment holds."""
        if number not in self._types:
            self._types[number] = {record.event_type for record in segments.read_from(path, 0)}
        return sorted(name for name in self._types[number] if class_of(name) == rank)

    def drop(self, number: int, event_types: list[str]) -> None:
        """A segment was rewritten without these types."""
        self._types[number] -= set(event_types)

    def forget(self, number: int) -> None:
        """A segment is gone; its number is never used again."""
        self._types.pop(number, None)
