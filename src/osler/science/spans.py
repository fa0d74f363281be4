"""How long do stretches of time last together: union, difference and overlap of half-open spans.

A span is `(start, end)` in integers of any one unit, so that sums are exact whatever the order they are taken in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; empty and reversed spans vanish.

    >>> union([(5, 9), (0, 6), (20, 20)])
    [(0, 9)]
    """
    merged: list[Span] = []
    ordered = sorted(spans)
    since = until = None
    for start, end in ordered:
        if end <= start:
            continue
        if since is None or until is None:
            since, until = start, end
        elif start > until:
            merged.append((since, until))
            since, until = start, end
        elif end > until:
            until = end
    if since is not None and until is not None:
        merged.append((since, until))
    return merged


def subtract(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """What is left of disjoint ordered spans without disjoint ordered holes.

    >>> subtract([(0, 10)], [(2, 3), (8, 20)])
    [(0, 2), (3, 8)]
    """
    left: list[Span] = []
    for start, end in spans:
        cursor = start
        for hole_start, hole_end in holes:
            if hole_end <= cursor:
                continue
            if hole_start >= end:
                break
            if hole_start > cursor:
                left.append((cursor, hole_start))
            cursor = hole_end
        if cursor < end:
            left.append((cursor, end))
    return left


def intersect(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The time that two lists of disjoint ordered spans share.

    >>> intersect([(0, 5), (8, 12)], [(3, 9)])
    [(3, 5), (8, 9)]
    """
    shared: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            shared.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return shared


def gaps(spans: Sequence[Span]) -> list[Span]:
    """The spans between disjoint ordered spans.

    >>> gaps([(0, 2), (5, 6)])
    [(2, 5)]
    """
    return [(before[1], after[0]) for before, after in pairwise(spans)]


def length(spans: Iterable[Span]) -> int:
    """The sum of the lengths of disjoint spans."""
    return sum(end - start for start, end in spans)
