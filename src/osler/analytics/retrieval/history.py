"""A learner's reviews as a fit of memory sees them, from the log, by the rules of the fold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from osler.analytics.retrieval.attempts import REVIEW_TYPES, paced, review_of
from osler.analytics.retrieval.items import epoch_seconds
from osler.analytics.retrieval.model import LearnerMemory
from osler.domain.events import LoggedEvent
from osler.science import memory_fit
from osler.science.memory_fit import Carried, History


class KeptItem(msgspec.Struct, frozen=True):
    """A row of item_memory in a checkpoint, as far as a memory goes on from it."""

    item_kind: str
    item_id: str
    last_at: datetime
    last_local_date: date
    last_rating: int
    fsrs_stability: float
    fsrs_difficulty: float
    sbd_log_stability: float
    sbd_failures: float


@dataclass(frozen=True, slots=True)
class Start:
    """What a log goes on from: the learner as then, and the items that had a memory; from nothing where it is whole."""

    learner: LearnerMemory = field(default_factory=LearnerMemory)
    items: Sequence[KeptItem] = ()


def start_of(learner: object, items: Sequence[Mapping[str, Any]]) -> Start:
    """The start that a checkpoint kept: retrieval's small state and the rows of item_memory, both as JSON values."""
    remembered = [row for row in items if row["fsrs_stability"] is not None]
    return Start(msgspec.convert(learner, LearnerMemory), msgspec.convert(remembered, list[KeptItem]))


def history_of(events: Sequence[LoggedEvent], regraded: Mapping[UUID, bool], start: Start = Start()) -> History:
    """Every review that moves a memory, in the order of the fold; a card that was reset begins anew.

    Items whose first reviews have left the log go on from the memories of `start`, as the fold's do.
    """
    learner, resets = start.learner, dict[str, int]()
    kept = [_last_review(item) for item in start.items]
    for event in events:
        if event.event_type not in REVIEW_TYPES:
            continue
        review = review_of(event, learner, regraded)
        learner = paced(learner, event)
        if review is None:
            continue
        of = f"{review.key.kind} {review.key.item_id}"
        if review.is_reset:
            resets[of] = resets.get(of, 0) + 1
        elif review.moves_memory:
            name = f"{resets.get(of, 0)} {of}"
            kept.append((name, epoch_seconds(review.at), review.local_date.toordinal(), review.rating))
    names, seconds, days, ratings = zip(*kept, strict=True) if kept else ((), (), (), ())
    return memory_fit.history_of(
        np.array(names, dtype=np.str_),
        np.array(seconds, dtype=np.float64),
        np.array(days, dtype=np.int64),
        np.array(ratings, dtype=np.int64),
        carried=_memories(start.items),
    )


def _last_review(item: KeptItem) -> tuple[str, float, int, int]:
    """The row of an item's last review before the cut: what came of it is in the memory already."""
    name = f"0 {item.item_kind} {item.item_id}"
    return name, epoch_seconds(item.last_at), item.last_local_date.toordinal(), item.last_rating


def _memories(items: Sequence[KeptItem]) -> Carried:
    states = [(i.fsrs_stability, i.fsrs_difficulty, i.sbd_log_stability, i.sbd_failures) for i in items]
    stability, difficulty, log_s, fails = np.array(states, dtype=np.float64).reshape(-1, 4).T.copy()
    return Carried(fsrs=(stability, difficulty), sbd=(log_s, fails))
