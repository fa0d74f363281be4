"""How was a topic practised in a week: spread over days or massed, mixed with other topics or in one block?

A topic-week is a topic and a week that begins on Monday; it is judged by the topic's answers of the week after.
Source: this project's definition (docs/analytics/patterns.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from osler.science.insights_math import Floats

MIN_REPEATS = 3
MIN_ANSWERS = 5
TopicWeek = tuple[str, int]


def week_of(day: int) -> int:
    """The week of a day (`date.toordinal`), counted from a Monday.

    >>> from datetime import date
    >>> week_of(date(2026, 11, 22).toordinal()) + 1 == week_of(date(2026, 11, 23).toordinal())
    True
    """
    return (day - 1) // 7


def spacing(days: Sequence[int], items: Sequence[str], topics: Sequence[str | None]) -> dict[TopicWeek, float]:
    """Share of a topic-week's repeats that come a local day or more after the item's last answer; from 3 repeats on."""
    last: dict[str, int] = {}
    spaced: dict[TopicWeek, list[bool]] = defaultdict(list)
    for day, item, topic in zip(days, items, topics, strict=True):
        if item in last and topic is not None:
            spaced[topic, week_of(day)].append(day - last[item] >= 1)
        last[item] = day
    return {key: sum(each) / len(each) for key, each in spaced.items() if len(each) >= MIN_REPEATS}


def interleaving(days: Sequence[int], sessions: Sequence[int], topics: Sequence[str | None]) -> dict[TopicWeek, float]:
    """How often a topic's answers were followed by another topic's, over how often under shuffling; from 5 answers on.

    In a session of n answers of which n_k are on the topic, n_k (n − n_k)/n of them are expected to be followed by
    another; both are summed over the sessions of the week. Absent where there was nothing else in any session.
    """
    by_session: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for day, session, topic in zip(days, sessions, topics, strict=True):
        if topic is not None:
            by_session[session].append((day, topic))
    changes: Counter[TopicWeek] = Counter()
    answers: Counter[TopicWeek] = Counter()
    expected: dict[TopicWeek, float] = defaultdict(float)
    for own in by_session.values():
        week = week_of(own[0][0])
        listed = [topic for _, topic in own]
        for topic, count in Counter(listed).items():
            answers[topic, week] += count
            expected[topic, week] += count * (len(listed) - count) / len(listed)
        changes.update((a, week) for a, b in pairwise(listed) if a != b)
    return {key: changes[key] / e for key, e in expected.items() if e > 0 and answers[key] >= MIN_ANSWERS}


def index_of_week_before(
    index: dict[TopicWeek, float], days: Sequence[int], topics: Sequence[str | None]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """For each answer the index of its topic in the week before (NaN: none), and the number of that topic-week."""
    number = {key: n for n, key in enumerate(sorted(index))}
    keys = [(topic, week_of(day) - 1) for day, topic in zip(days, topics, strict=True)]
    values = [index.get((t, w), np.nan) if t is not None else np.nan for t, w in keys]
    numbers = [number.get((t, w), -1) if t is not None else -1 for t, w in keys]
    return np.array(values, dtype=np.float64), np.array(numbers, dtype=np.int64)
