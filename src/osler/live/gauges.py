"""What is looked at now and then rather than counted as it happens: pools, backlogs, the database's load, jobs.

Runs of jobs are read from where they are recorded, so that every process shows those of the whole installation: what
a worker's child ran, what was lost when one was killed, and when a job last succeeded however often this process was
started since. Over several processes take the greatest, never the sum.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta

import sqlalchemy as sa

from osler.db.engine import Database
from osler.db.faults import as_unavailable
from osler.db.partitions import NEWEST_SQL
from osler.db.session import ReadSession
from osler.errors import Unavailable
from osler.eventlog import marks
from osler.jobs.queries import ended_since, last_success_at
from osler.observe import metrics

LOOK_SECONDS = 5.0
COMMITTED_WITHIN = timedelta(minutes=1)
"""A run's end is stamped before it is committed: each look goes back this far, past what it has counted."""

# A statement's own backend counts itself, so one is taken off.
_ACTIVE = sa.text(
    "select greatest(count(*) - 1, 0) as active, clock_timestamp() as at from pg_stat_activity "
    "where state = 'active' and backend_type = 'client backend'"
)

_AHEAD = sa.text(f"select extract(epoch from min(until) - now()) / 86400 from ({NEWEST_SQL}) newest")


class Gauges:
    """Looks at one database. `osler_db_busy_ratio` counts by cores of this host: right where both are one machine."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._began: datetime | None = None
        self._counted: dict[tuple[str, str, int], datetime] = {}

    async def look(self) -> None:
        """Look once. Errors: Unavailable while the database is away; the pools have been looked at then."""
        self.look_at_pools()
        async with self._db.read(primary=True) as session:
            found = await session.one(_ACTIVE, name="gauges")
            for consumer in marks.CONSUMERS:
                metrics.ingest_backlog.labels(consumer).set(await marks.backlog(session, consumer))
            await self._look_at_jobs(session, found["at"] if found else None)
            ahead = await session.scalar(_AHEAD, name="gauges")
        metrics.partition_days_ahead.set(ahead or 0)
        metrics.db_busy_ratio.set((found["active"] if found else 0) / (os.cpu_count() or 1))

    def look_at_pools(self) -> None:
        """Connections held, in use and waited for; asks nobody."""
        metrics.db_pool_size.set(self._db.pool_size)
        metrics.db_pool_in_use.set(self._db.pool_in_use)
        metrics.db_pool_waiting.set(self._db.waiting)

    async def _look_at_jobs(self, session: ReadSession, at: datetime | None) -> None:
        if self._began is None or at is None:
            self._began = at
        else:
            if at < self._began:  # a clock that was set back hides no run that has ended since
                self._began = at - COMMITTED_WITHIN
            since = max(self._began, at - COMMITTED_WITHIN)
            self._counted = {run: ended for run, ended in self._counted.items() if ended >= since}
            for run in await ended_since(session, since):
                if run.key not in self._counted and run.status in metrics.JOB_STATUSES:
                    self._counted[run.key] = run.finished_at
                    metrics.count_job(run.job, run.status, run.seconds)
        for job, succeeded_at in (await last_success_at(session)).items():
            if job in metrics.job_names.known:
                metrics.job_last_success.labels(job).set(succeeded_at.timestamp())


async def keep_looking(db: Database) -> None:
    """Look every five seconds until cancelled; while the database is away the pools alone."""
    gauges = Gauges(db)
    while True:
        try:
            await gauges.look()
        except Exception as error:
            if not isinstance(error, Unavailable) and as_unavailable(error) is None:
                raise
        await asyncio.sleep(LOOK_SECONDS)
