"""How long do stretches of time last together: union, difference and overlap of many half-open spans at once.

Spans are in integers of any one unit, so that sums are exact whatever the order they are taken in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Spans(NamedTuple):
    """Spans from `start` to `end`. Shapes: (n,) both. Only positive lengths mean anything."""

    start: Ints
    end: Ints

    @property
    def lengths(self) -> Ints:
        """End less start of each. Shape: (n,)."""
        return self.end - self.start

    def only(self, chosen: npt.NDArray[np.bool_]) -> Spans:
        """Those that are chosen. Shape of `chosen`: (n,)."""
        return Spans(self.start[chosen], self.end[chosen])

    def moved(self, by: Ints) -> Spans:
        """Each moved by so much. Shape of `by`: (n,)."""
        return Spans(self.start + by, self.end + by)


NO_SPANS = Spans(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def joined(*parts: Spans) -> Spans:
    """All spans of several lists, one list after the other."""
    return Spans(np.concatenate([part.start for part in parts]), np.concatenate([part.end for part in parts]))


def union(spans: Spans) -> Spans:
    """The same time as disjoint spans in order; what touches is one, empty and reversed spans vanish."""
    kept = spans.only(spans.end > spans.start)
    if not kept.start.size:
        return kept
    order = np.argsort(kept.start, kind="stable")
    start, reach = kept.start[order], np.maximum.accumulate(kept.end[order])
    begins = np.flatnonzero(np.concatenate([[True], start[1:] > reach[:-1]]))
    return Spans(start[begins], reach[np.concatenate([begins[1:] - 1, [start.size - 1]])])


def subtract(spans: Spans, holes: Spans) -> tuple[Spans, Ints]:
    """What is left of any spans without disjoint ordered holes, and which span each rest is of."""
    if not holes.start.size:
        is_long = spans.end > spans.start
        return spans.only(is_long), np.flatnonzero(is_long)
    first = np.searchsorted(holes.end, spans.start, "right")
    n = np.maximum(np.searchsorted(holes.start, spans.end, "left") - first, 0)
    which = np.repeat(np.arange(n.size), n + 1)
    part = np.arange(which.size) - np.repeat(np.cumsum(n + 1) - n - 1, n + 1)
    hole = first[which] + part
    start, end = spans.start[which], spans.end[which]
    is_after, is_before = part > 0, part < n[which]
    start[is_after] = holes.end[hole[is_after] - 1]
    end[is_before] = holes.start[hole[is_before]]
    is_left = end > start
    return Spans(start[is_left], end[is_left]), which[is_left]


def overlap(spans: Spans) -> Spans:
    """The time that two or more of the spans share, as disjoint spans in order."""
    at = np.concatenate([spans.start, spans.end])
    step = np.repeat([1, -1], spans.start.size)
    order = np.argsort(at, kind="stable")
    at, depth = at[order], np.cumsum(step[order])
    is_shared = depth[:-1] >= 2
    return union(Spans(at[:-1][is_shared], at[1:][is_shared]))
