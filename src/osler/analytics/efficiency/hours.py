"""How much of each session's time lies in which local day and wall-clock hour? All sessions at once."""

from __future__ import annotations

from datetime import date

import numpy as np

from osler.science.spans import Ints, Spans
from osler.science.study_time import US

EPOCH_DAY = date(1970, 1, 1).toordinal()
HOUR_US, DAY_US = 3_600 * US, 86_400 * US

FEW = 100
"""So many are added up one by one before sorting them costs less: a session is folded after each answer."""

Hours = dict[tuple[date, int], int]
"""Microseconds by local day and wall-clock hour."""


def by_hour(spans: Spans, session: Ints, offset_us: Ints, day_start_us: int, n: int) -> list[Hours]:
    """Microseconds of each session by local day and wall-clock hour, in order; spans are instants since 1970."""
    is_long = spans.end > spans.start
    spans, session = spans.only(is_long), session[is_long]
    parts, which = _cut(spans.moved(offset_us[session]), HOUR_US, 0)
    if day_start_us % HOUR_US:
        parts, again = _cut(parts, HOUR_US, day_start_us % HOUR_US)
        which = which[again]
    hours = (parts.start - day_start_us) // DAY_US * 24 + parts.start // HOUR_US % 24
    least = int(hours.min(initial=0))
    width = int(hours.max(initial=0)) - least + 1
    found: list[Hours] = [{} for _ in range(n)]
    for key, us in summed(session[which] * width + hours - least, parts.lengths):
        number, place = divmod(key, width)
        day, hour = divmod(place + least, 24)
        found[number][date.fromordinal(EPOCH_DAY + day), hour] = us
    return found


def _cut(spans: Spans, step: int, phase: int) -> tuple[Spans, Ints]:
    """Spans cut at every `step` from `phase` on, and which span each part is of."""
    first = (spans.start - phase) // step
    n = (spans.end - 1 - phase) // step - first + 1
    which = np.repeat(np.arange(n.size), n)
    part = np.arange(which.size) - np.repeat(np.cumsum(n) - n, n)
    low = (first[which] + part) * step + phase
    return Spans(np.maximum(spans.start[which], low), np.minimum(spans.end[which], low + step)), which


def summed(key: Ints, amount: Ints) -> list[tuple[int, int]]:
    """The sum of the amounts of each key, by key. Whole numbers under 2**53 add up exactly as floats."""
    if key.size <= FEW:
        found: dict[int, int] = {}
        for each, part in zip(key.tolist(), amount.tolist(), strict=True):
            found[each] = found.get(each, 0) + part
        return sorted(found.items())
    keys, which = np.unique(key, return_inverse=True)
    sums: list[float] = np.bincount(which, amount, minlength=keys.size).tolist()
    return list(zip(keys.tolist(), map(int, sums), strict=True))
