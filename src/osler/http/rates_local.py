"""Rates counted in this process: exactly so many in any minute, wherever it begins."""

from __future__ import annotations

from collections import OrderedDict, deque

MINUTE = 60.0
MOST_NAMES = 50_000
"""Callers that are remembered, those who were let in last: some 5 MB where each asks now and then."""


class LocalCount:
    """When each caller was let in during the last minute, on a clock that never goes back."""

    def __init__(self, most_names: int = MOST_NAMES) -> None:
        self._most_names = most_names
        self._let_in: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def hit(self, per_minute: int, kind: str, name: str, at: float) -> bool:
        """Let a caller in at an instant (seconds), unless so many were in the minute before it."""
        times = self._let_in.setdefault((kind, name), deque())
        while times and times[0] <= at - MINUTE:
            times.popleft()
        if len(times) >= per_minute:
            return False
        times.append(at)
        self._let_in.move_to_end((kind, name))
        if len(self._let_in) > self._most_names:
            self._let_in.popitem(last=False)
        return True
