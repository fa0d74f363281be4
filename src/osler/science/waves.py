"""How are many items folded at once? The i-th review of every item forms a wave, and waves run in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NOTHING_CARRIED: tuple[Floats, Floats] = (np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Waves:
    """Rows arranged wave after wave, the items with most reviews first in each.

    So the items of a wave are always the first ones of the wave before it, and a state array needs no gathering:
    wave i works on `state[:size]`. `order` gives the row numbers in that arrangement, `starts` the edge of each wave.
    """

    order: Ints
    starts: Ints

    def __iter__(self) -> Iterator[slice]:
        """The slice of each wave in the arranged rows."""
        edges: list[int] = self.starts.tolist()
        return (slice(low, high) for low, high in pairwise(edges))

    @property
    def items(self) -> int:
        """How many items there are: the size of the first wave."""
        return int(self.starts[1]) if self.starts.size > 1 else 0


def carry(waves: Waves, carried: Sequence[Floats], states: Sequence[Floats]) -> npt.NDArray[np.bool_]:
    """Put what items bring along over their states in the first wave; gives which items these are.

    Where the older reviews are gone, the first m rows are the last ones before the cut, one an item, and the memory
    after each is given instead of computed. Shapes: each of `carried` (m,), of `states` (items,).
    """
    rows = waves.order[: waves.items]
    known = rows < carried[0].size
    for values, state in zip(carried, states, strict=True):
        state[known] = values[rows[known]]
    return known


def waves_of(item: npt.ArrayLike) -> Waves:
    """The waves of rows that stand in fold order.

    Shapes: `item` (n,), any values that tell items apart. Cost: one sort.

    >>> waves = waves_of([7, 9, 7, 7, 9])
    >>> waves.order.tolist(), waves.starts.tolist()
    ([0, 1, 2, 4, 3], [0, 2, 4, 5])
    """
    values = np.asarray(item)
    n = values.size
    if n == 0:
        return Waves(order=np.zeros(0, dtype=np.int64), starts=np.zeros(1, dtype=np.int64))
    grouped = np.argsort(values, kind="stable")
    fresh = np.concatenate([[True], values[grouped][1:] != values[grouped][:-1]])
    edges = np.append(np.flatnonzero(fresh), n)
    counts = np.diff(edges)
    rank = np.empty(counts.size, dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(counts.size)
    position = np.arange(n) - np.repeat(edges[:-1], counts)
    starts = np.concatenate([[0], np.cumsum(np.bincount(position))]).astype(np.int64)
    # The items of a wave have the ranks 0 to its size - 1, so each row's place is known without another sort.
    order = np.empty(n, dtype=np.int64)
    order[starts[position] + np.repeat(rank, counts)] = grouped
    return Waves(order=order, starts=starts)
