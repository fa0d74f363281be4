"""Which answers tell what was kept of something read: the first next-day answer to each item of its topics.

Source: this project's definition (docs/analytics/patterns.md).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LONGEST_DAYS = 14
NOT_READ = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """One material on one local day. `day` counts days, `order` is any number that grows with time within it.

    `noted` tells whether a note on the material had been taken by the end of that day.
    """

    material: str
    day: int
    order: float
    kind: str
    noted: bool
    topics: tuple[str, ...]


def first_later_answers(
    readings: Sequence[Reading], days: Sequence[int], items: Sequence[str], topics: Sequence[tuple[str, ...]]
) -> npt.NDArray[np.int64]:
    """For each answer the reading that it tells of, as its place in `readings`, or −1.

    An answer tells of the last reading on one of its topics that lies 1 to 14 local days before it, and of each item
    only the first answer after that reading counts. So no answer speaks for two materials. Answers in time order.

    >>> read = Reading("m1", 10, 0.0, "text", False, ("heart",))
    >>> first_later_answers([read], [10, 11, 12, 12, 30], ["q1", "q1", "q1", "q2", "q3"], [("heart",)] * 5).tolist()
    [-1, 0, -1, 0, -1]
    """
    by_topic: dict[str, list[tuple[int, float, int]]] = defaultdict(list)
    for place, reading in enumerate(readings):
        for topic in reading.topics:
            by_topic[topic].append((reading.day, reading.order, place))
    for listed in by_topic.values():
        listed.sort()
    found = np.full(len(days), NOT_READ, dtype=np.int64)
    seen: set[tuple[int, str]] = set()
    for n, (day, item, own) in enumerate(zip(days, items, topics, strict=True)):
        place = _last_before(by_topic, own, day)
        if place != NOT_READ and (place, item) not in seen:
            seen.add((place, item))
            found[n] = place
    return found


def _last_before(by_topic: dict[str, list[tuple[int, float, int]]], topics: tuple[str, ...], day: int) -> int:
    """The place of the last reading on these topics before that day, if it is not too old."""
    latest: tuple[int, float, int] | None = None
    for topic in topics:
        listed = by_topic.get(topic, [])
        before = bisect_left(listed, (day,))
        if before and (latest is None or listed[before - 1] > latest):
            latest = listed[before - 1]
    return NOT_READ if latest is None or day - latest[0] > LONGEST_DAYS else latest[2]
