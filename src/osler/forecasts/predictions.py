"""Writes what was forecast, before its outcome is folded, once and for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from osler.db.session import ReadSession, WriteSession
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


_TOLD = """
select json_build_array(coalesce(json_agg(about) filter (where task = $2), '[]'),
                        coalesce(json_agg(about) filter (where task = $3), '[]'))::text
  from public.predictions where user_id = $1 and task in ($2, $3)
"""


async def told(session: ReadSession, user_id: UUID) -> dict[str, frozenset[str]]:
    """By task the events that were forecast for a learner, answers and reviews, by whatever version.

    What was said first was said before the outcome was known to any fit: it stands.
    """
    text: Any = await session.driver().fetchval(_TOLD, user_id, NEXT_ANSWER, RECALL)
    answers, reviews = msgspec.json.decode(text, type=tuple[frozenset[str], frozenset[str]])
    return {NEXT_ANSWER: answers, RECALL: reviews}


_COPY = "insert into {table} select * from public.{table} where user_id = any($1::uuid[])"


async def copy_into_shadow(session: WriteSession, user_ids: Sequence[UUID]) -> None:
    """Put the learners' forecasts into the shadow of their table: what was served is no matter of a replay."""
    await session.driver().execute(_COPY.format(table=predictions.name), list(user_ids))
