"""Keeps a learner's live rows as they were at the end of a month that is about to leave the log.

A checkpoint is what folding every event before an instant gives: the rows of each derived table as JSON, whose floats
PostgreSQL writes so that they read back to the last bit. A refold then starts from it, and not from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler import __version__
from osler.analytics.contract import Analytic, DerivedTable
from osler.db.engine import Database
from osler.db.session import ReadSession, WriteSession
from osler.eventlog import checkpoints, learner_locks
from osler.eventlog.checkpoints import Checkpoint
from osler.live import learners
from osler.live.catch_up import Live
from osler.live.restoring import CHECKPOINT
from osler.live.shadow import cast_shadow

_LEARNERS = """
select u.user_id from users u
 where u.user_id > $1 and exists (select from study_events e where e.user_id = u.user_id and e.event_ts < $2)
 order by u.user_id limit $3
"""
CHUNK = 200


async def checkpoint_before(database: Database, analytics: Sequence[Analytic], live: Live, upper_at: datetime) -> int:
    """Keep the state of every learner with events before an instant; gives how many learners.

    Learners must be caught up. The same instant twice is dull.
    """
    after, kept = UUID(int=0), 0
    while True:
        async with database.read(primary=True) as session:
            rows: Any = await session.driver().fetch(_LEARNERS, after, upper_at, CHUNK)
        for row in rows:
            async with database.write() as session:
                kept += await _checkpoint(session, analytics, live, row["user_id"], upper_at)
        if not rows:
            return kept
        after = rows[-1]["user_id"]


async def _checkpoint(
    session: WriteSession, analytics: Sequence[Analytic], live: Live, user_id: UUID, upper_at: datetime
) -> int:
    await learner_locks.hold(session.driver(), [user_id])
    row = await learners.read(session, user_id)
    tables = [found for analytic in analytics for found in analytic.tables]
    await cast_shadow(session, [found.table for found in tables])
    cursor = await live.fold_until(session, user_id, row, upper_at)
    if cursor is None or row.version is None:
        return 0
    state = {found.table.name: await _dumped(session, found, user_id) for found in tables}
    await checkpoints.write(session, Checkpoint(user_id, CHECKPOINT, row.version, cursor, __version__, state))
    return 1


async def _dumped(session: ReadSession, found: DerivedTable, user_id: UUID) -> Any:
    table = found.table
    keys = ", ".join(column.name for column in table.primary_key.columns)
    text: Any = await session.driver().fetchval(
        f"select coalesce(jsonb_agg(to_jsonb(t) order by {keys}), '[]')::text from {table.name} t where user_id = $1",
        user_id,
    )
    return msgspec.json.decode(text)
