"""Everything derived, made from the log now: what an import and the demo do instead of waiting for the night."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.eventlog import marks
from osler.jobs.queries import last_success_at
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.learners import lock_key
from osler.rollups.nightly import names_of_makers
from osler.worker.night import night_of

FOLDING_AT_ONCE = 4
LEARNERS_A_COMMIT = 10
"""Measured over 300 small learners on two busy cores: 102 ms each one by one, 15 ms with three at once, 11 ms when
each takes ten in a transaction; more in one only holds locks for longer."""
MOST_LEARNERS = 1_000_000
SECONDS_A_STATEMENT = 600.0


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


async def is_owed(database: Database, user_ids: Sequence[UUID]) -> bool:
    """Whether some of these learners never had a whole night: a row is missing, or a nightly job never ended well."""
    async with database.read(primary=True) as session:
        ended = await last_success_at(session)
        if not ended.keys() >= {*names_of_makers(analytics()), "cohort"}:
            return True
        found = await session.scalar(sa.text(_WITHOUT_A_NIGHT), {"users": list(user_ids)})
    return found is not None


_WITHOUT_A_NIGHT = """
select 1 from unnest(cast(:users as uuid[])) as u(user_id)
 where not exists (select from learner_habits h where h.user_id = u.user_id)
    or not exists (select from user_learning_metrics m where m.user_id = u.user_id)
 limit 1
"""


async def _fold_marked(database: Database, live: Live, progress: Callable[[int], None]) -> None:
    async with database.read(primary=True) as session:
        behind = await marks.learners(session, marks.LIVE, MOST_LEARNERS)
    # In the order of their locks, so that two that fold never wait for each other in a circle.
    behind.sort(key=lock_key)
    groups = iter([behind[at : at + LEARNERS_A_COMMIT] for at in range(0, len(behind), LEARNERS_A_COMMIT)])

    async def fold_next() -> None:
        group: list[UUID]
        for group in groups:  # one iterator for all: whoever is free takes the next
            async with database.write(statement_timeout_seconds=SECONDS_A_STATEMENT, keeps_plans=True) as session:
                for user_id in group:
                    await live.catch_up_in(session, user_id)
            progress(len(group))

    try:
        async with asyncio.TaskGroup() as folding:
            for _ in range(FOLDING_AT_ONCE):
                folding.create_task(fold_next())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
