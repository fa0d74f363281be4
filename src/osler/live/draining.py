"""Folds every learner with marks, and those whose state was declared stale, until none is left."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.states import learner_states
from osler.db.engine import Database
from osler.db.session import ReadSession, WriteSession
from osler.eventlog import marks
from osler.live.catch_up import Live
from osler.live.learners import FOLD_VERSION

CHUNK = 200

_STALE = (
    sa.select(learner_states.c.user_id)
    .where(learner_states.c.is_stale | (learner_states.c.fold_version < FOLD_VERSION))
    .limit(CHUNK)
)


async def drain(database: Database, live: Live, only: Sequence[UUID] | None = None) -> int:
    """Catch up everybody (or `only` these learners) who is behind; gives the events folded."""
    folded = 0
    if only is not None:
        for user_id in only:
            folded += (await live.catch_up(user_id)).events
        return folded
    while True:
        async with database.read(primary=True) as session:
            behind = await _behind(session)
        if not behind:
            return folded
        for user_id in behind:
            folded += (await live.catch_up(user_id)).events


async def _behind(session: ReadSession) -> list[UUID]:
    marked = await marks.learners(session, marks.LIVE, CHUNK)
    return marked or await stale(session)


async def stale(session: ReadSession) -> list[UUID]:
    """Learners who were declared stale, or folded by older code, and not folded since; at most a chunk of them."""
    return [row[0] for row in await session.tuples(_STALE)]


async def to_fold_anew(session: ReadSession, user_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the learners who were declared stale, or folded by older code, and not folded since."""
    chosen = _STALE.where(learner_states.c.user_id.in_(list(user_ids))).limit(None)
    return [row[0] for row in await session.tuples(chosen)]


async def declare_stale(session: WriteSession, user_ids: Sequence[UUID] | None) -> None:
    """Have these learners (None: everybody) folded anew: what their rows depend on beside the log has changed."""
    chosen = sa.true() if user_ids is None else learner_states.c.user_id.in_(list(user_ids))
    # The generation tells a fold that is under way: what it has read may be from before the change.
    changed = {"is_stale": True, "generation": learner_states.c.generation + 1}
    await session.execute(sa.update(learner_states).where(chosen).values(changed))
