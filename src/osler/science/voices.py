"""How much may one learner say of what all are served? No more than a tenth, whatever they send.

Ten is the smallest group that anything is published of: a number in which one learner is more than a tenth tells of
that learner. Where a prior stands for some answers these count as well: few learners then move it a little, and nobody
by more than a tenth. Without one, nothing is told where fewer than ten have answered.
Source: the dominance rule of statistical disclosure control for the largest contributor, Hundepool et al. 2012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from osler.science.item_easiness import TOPIC_PRIOR

VOICES = 10
GRAINS = 2.0**20
"""Weights are whole grains, so that their sums are exact and the same in whatever order they are made."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def most_of_one(answers: npt.ArrayLike, beside: float = 0.0, voices: int = VOICES) -> float:
    """The most answers that may count of one learner, so that nobody makes up more than 1/voices of what counts.

    `answers` (n,) are those of each learner; `beside` those that a prior stands for, which count as well. The largest c
    with c <= (beside + Σ min(answers, c)) / voices: for every k < voices it is at most (beside + the sum of all but the
    k largest) / (voices - k), and equal for one of them. Without a prior 0 where fewer than `voices` have answered.

    >>> most_of_one([5] * 20), most_of_one([100_000] + [5] * 20), most_of_one([100_000, 5])
    (10.0, 11.11111111111111, 0.0)
    """
    ranked = np.sort(np.asarray(answers, dtype=np.float64))
    but_the_largest = np.append(ranked.cumsum()[::-1], 0.0)[:voices] + beside
    return float((but_the_largest / np.arange(voices, voices - but_the_largest.size, -1)).min())


def weights(learner: Ints, item: Ints, item_topics: Ints) -> Floats:
    """The weight of each first attempt, so that nobody is more than a tenth of what is counted of any topic.

    Shapes: `learner`, `item` (n,) codes, `item_topics` (m, 2) pairs of codes, each once; gives (n,), 0 to 1. On several
    topics the least weight holds; items without one are taken together.
    """
    pairs = _with_topics(item, item_topics)
    row, topic = pairs[:, 0], pairs[:, 1]
    key = topic * (int(learner.max(initial=0)) + 1) + learner[row]
    cells, place, answers = np.unique(key, return_inverse=True, return_counts=True)
    topics, begins = np.unique(cells // (int(learner.max(initial=0)) + 1), return_index=True)
    ends = np.append(begins[1:], cells.size)
    most = np.repeat(
        [most_of_one(answers[begin:end], TOPIC_PRIOR) for begin, end in zip(begins, ends, strict=True)], ends - begins
    ) if topics.size else np.zeros(0)  # fmt: skip
    found = np.ones(item.size)
    np.minimum.at(found, row, (np.floor(np.minimum(1.0, most / answers) * GRAINS) / GRAINS)[place])
    return found


def _with_topics(item: Ints, item_topics: Ints) -> Ints:
    """(row, topic) of each row and each of its item's topics, from 1; topic 0 where the item has none."""
    order = np.argsort(item_topics[:, 0], kind="stable")
    items, topics = item_topics[order].T
    first, last = np.searchsorted(items, item, side="left"), np.searchsorted(items, item, side="right")
    sizes = np.maximum(last - first, 1)
    row = np.repeat(np.arange(item.size), sizes)
    nth = np.arange(row.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    known = (last > first)[row]
    topic = np.zeros(row.size, dtype=np.int64)
    topic[known] = topics[(first[row] + nth)[known]] + 1
    return np.column_stack([row, topic])
