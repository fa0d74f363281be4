"""Made reviews: a learner who recalls as FSRS-6 says, or answers by coin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from osler.science import fsrs

CARDS, REVIEWS = 40, 5


def reviewed(rng: np.random.Generator, *, first_days: int, by_coin: bool = False) -> Iterator[tuple[int, int, int]]:
    """(card, local day, rating) of each card's reviews at growing intervals; cards begin within `first_days`."""
    for card in range(CARDS):
        memory, day = None, int(rng.integers(0, first_days))
        for i in range(REVIEWS):
            gap = int(np.ceil(rng.exponential(2.0**i))) if i else 0
            day += gap
            chance = 0.6 if memory is None else fsrs.retrievability(memory.stability, gap)
            rating = 3 if rng.random() < (0.5 if by_coin else chance) else 1
            memory = fsrs.first(rating) if memory is None else fsrs.step(memory, gap, rating)
            yield card, day, rating
