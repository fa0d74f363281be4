"""A learner's reviews as a fit of memory sees them, from the log, by the rules of the fold. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import numpy as np

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval.attempts import REVIEW_TYPES, paced, review_of
from osler.analytics.retrieval.items import epoch_seconds
from osler.analytics.retrieval.model import LearnerMemory
from osler.domain.events import LoggedEvent
from osler.science import memory_fit
from osler.science.memory_fit import History


def history_of(
    events: Sequence[LoggedEvent], regraded: Mapping[UUID, bool], begun: Collection[ItemKey] = ()
) -> History:
    """Every review that moves a memory, in the order of the fold; a card that was reset begins anew.

    `begun` are items whose first reviews have left the log: a fit must not take a later one for the first, so they
    are left out.
    """
    learner, resets = LearnerMemory(), dict[ItemKey, int]()
    kept: list[tuple[str, float, int, int]] = []
    for event in events:
        if event.event_type not in REVIEW_TYPES:
            continue
        review = review_of(event, learner, regraded)
        learner = paced(learner, event)
        if review is None:
            continue
        if review.is_reset:
            resets[review.key] = resets.get(review.key, 0) + 1
        elif review.moves_memory and not (review.key in begun and review.key not in resets):
            name = f"{review.key.kind} {resets.get(review.key, 0)} {review.key.item_id}"
            kept.append((name, epoch_seconds(review.at), review.local_date.toordinal(), review.rating))
    names, seconds, days, ratings = zip(*kept, strict=True) if kept else ((), (), (), ())
    return memory_fit.history_of(
        np.array(names, dtype=np.str_),
        np.array(seconds, dtype=np.float64),
        np.array(days, dtype=np.int64),
        np.array(ratings, dtype=np.int64),
    )
