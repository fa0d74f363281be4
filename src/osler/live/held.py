"""What a process holds of learners between two folds, so that a fold need not read again what it folded a moment ago.

Nothing here is the truth: an entry counts only where the database says, in the snapshot of the fold that asks, that
nobody has folded the learner since (`generation`) and that the catalogue is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cachetools import TTLCache

from osler.analytics.contract import Batch, Reading
from osler.live.learners import LearnerRow

MOST_PARTS = 50_000
"""Learners, and events of their last sessions, all together: some 20 MB."""
SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Held:
    """How a fold left a learner, and what folds kept of their readings."""

    row: LearnerRow
    kept: Mapping[Reading[Any], Any]

    def __len__(self) -> int:
        return 1 + sum(len(each) for each in self.kept.values())


class Holding:
    """Held values by learner: as many as fit, each half an hour at most."""

    def __init__(self) -> None:
        self._held: TTLCache[UUID, Held] = TTLCache(MOST_PARTS, SECONDS, getsizeof=len)

    def of(self, user_id: UUID) -> Held | None:
        """What is held of a learner."""
        return self._held.get(user_id)

    def put(self, row: LearnerRow, batch: Batch) -> None:
        """Hold how a fold has left its learner, once it is committed."""
        held = Held(row, batch.keeping)
        if len(held) <= MOST_PARTS:
            self._held[batch.user_id] = held
        else:
            self._held.pop(batch.user_id, None)
