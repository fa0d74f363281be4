"""What is looked at now and then rather than counted: pools, the backlog of the nights, the database's load."""

from __future__ import annotations

import asyncio
import os

import sqlalchemy as sa

from osler.db.engine import Database
from osler.db.faults import as_unavailable
from osler.errors import Unavailable
from osler.eventlog import marks
from osler.observe import metrics

LOOK_SECONDS = 5.0

# A statement's own backend counts itself, so one is taken off.
_ACTIVE = sa.text(
    "select greatest(count(*) - 1, 0) from pg_stat_activity where state = 'active' and backend_type = 'client backend'"
)


async def look(db: Database) -> None:
    """Look once. `osler_db_busy_ratio` is active backends by cores of this host: right where both are one machine."""
    look_at_pools(db)
    async with db.read(primary=True) as session:
        active = await session.scalar(_ACTIVE, name="gauges")
        metrics.ingest_backlog.labels(marks.ROLLUP).set(await marks.backlog(session, marks.ROLLUP))
    metrics.db_busy_ratio.set(active / (os.cpu_count() or 1))


def look_at_pools(db: Database) -> None:
    """Connections held, in use and waited for; asks nobody."""
    metrics.db_pool_size.set(db.pool_size)
    metrics.db_pool_in_use.set(db.pool_in_use)
    metrics.db_pool_waiting.set(db.waiting)


async def keep_looking(db: Database) -> None:
    """Look every five seconds until cancelled; while the database is away the pools alone."""
    while True:
        try:
            await look(db)
        except Exception as error:
            if not isinstance(error, Unavailable) and as_unavailable(error) is None:
                raise
        await asyncio.sleep(LOOK_SECONDS)
