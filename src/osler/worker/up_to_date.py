"""Everything derived, made from the log now: what an import and the demo do instead of waiting for the night."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.eventlog import marks
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.worker.night import night_of

LEARNERS_AT_ONCE = 4
"""Folding a learner is one short transaction, and most of its time is the wait for PostgreSQL and for COMMIT."""
MOST_LEARNERS = 1_000_000


async def bring_up_to_date(database: Database, progress: Callable[[int], None] = lambda _: None) -> None:
    """Fold every learner who has marks, then run each nightly job once for the newest period, also if it has run.

    Progress counts learners folded and jobs done. Errors: what a fold or a job raises, once all before it are done.
    """
    live = Live(database, analytics())
    await _fold_marked(database, live, progress)
    await drain(database, live)  # those whose state was declared stale, and what was marked meanwhile
    night = night_of(database)
    for job in night.jobs:
        await night.run(job.name, again=True)
        progress(1)


async def _fold_marked(database: Database, live: Live, progress: Callable[[int], None]) -> None:
    async with database.read(primary=True) as session:
        behind = iter(await marks.learners(session, marks.LIVE, MOST_LEARNERS))

    async def fold_next() -> None:
        user_id: UUID
        for user_id in behind:  # one iterator for all: whoever is free takes the next learner
            await live.catch_up(user_id)
            progress(1)

    try:
        async with asyncio.TaskGroup() as folding:
            for _ in range(LEARNERS_AT_ONCE):
                folding.create_task(fold_next())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
