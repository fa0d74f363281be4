"""Folds every learner with marks, and those whose state was declared stale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.states import learner_states
from osler.db.engine import Database
from osler.db.session import ReadSession
from osler.eventlog import marks
from osler.jobs.telling import Told, silent
from osler.live.catch_up import Live
from osler.live.learners import FOLD_VERSION
from osler.live.together import Failed, Together

CHUNK = 200
LEARNERS_A_LOOK = 10_000

_STALE = sa.select(learner_states.c.user_id).where(
    learner_states.c.is_stale | (learner_states.c.fold_version < FOLD_VERSION)
)


async def drain(
    database: Database,
    live: Live,
    only: Sequence[UUID] | None = None,
    *,
    failed: Failed | None = None,
    told: Told = silent,
) -> int:
    """Catch up everybody (or `only` these learners) who is behind, each once; gives the events folded.

    A learner who cannot be folded is handed to `failed`, and all others are done. Errors: without `failed` what the
    first of them raised, after the others; Unavailable when the database is away.
    """
    looked_at, errors = set[UUID](), list[Exception]()

    async def remember(_: UUID, error: Exception) -> None:
        errors.append(error)

    limit = database.settings.job_statement_timeout_seconds
    # Not durable: where a crash undoes a fold, its marks are back as well, and the fold is made again.
    together = Together(
        lambda: database.write(statement_timeout_seconds=limit, is_durable=False, keeps_plans=True),
        live.catch_up_in, failed or remember, told,
    )  # fmt: skip
    folded = 0
    while behind := await _behind(database, looked_at) if only is None else [u for u in only if u not in looked_at]:
        folded += await together.fold(behind)
        looked_at.update(behind)
    if errors:
        raise errors[0]
    return folded


async def _behind(database: Database, without: Collection[UUID]) -> list[UUID]:
    """Some of those who are behind, marked ones first; nobody of `without`."""
    limit = LEARNERS_A_LOOK + len(without)
    async with database.read(primary=True) as session:
        marked = [u for u in await marks.learners(session, marks.LIVE, limit) if u not in without]
        return marked or [u for u in await stale(session, limit) if u not in without]


async def stale(session: ReadSession, limit: int = CHUNK) -> list[UUID]:
    """Learners who were declared stale, or folded by older code, and not folded since; at most so many of them."""
    return [row[0] for row in await session.tuples(_STALE.limit(limit))]


async def to_fold_anew(session: ReadSession, user_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the learners who were declared stale, or folded by older code, and not folded since."""
    chosen = _STALE.where(learner_states.c.user_id.in_(list(user_ids)))
    return [row[0] for row in await session.tuples(chosen)]
