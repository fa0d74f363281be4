"""Writes what was forecast, before its outcome is folded, once and for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from osler.db.upsert import OnConflict, Upsert
from osler.forecasts.tables import predictions

NEXT_ANSWER, RECALL, EXAM = "next-answer", "recall", "exam"


class Prediction(NamedTuple):
    """A forecast of `about` (an event's id, or an exam's) that used nothing from `as_of` on."""

    as_of: datetime
    about: str
    task: str
    model_version: str
    probability: float
    score: float | None = None
    low: float | None = None
    high: float | None = None
    elapsed_days: int | None = None


WRITE = Upsert(predictions, ("user_id", *Prediction._fields), OnConflict.NOTHING)


def rows(user_id: UUID, made: Sequence[Prediction]) -> list[tuple[Any, ...]]:
    """Rows of one learner's forecasts, for `WRITE`. One that is kept already stays as it was first made.

    A refold makes them again from a history that may have changed since: what was served is what counts.
    """
    return [(user_id, *prediction) for prediction in made]
