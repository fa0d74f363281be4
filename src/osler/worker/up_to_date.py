"""Everything derived, made from the log now: what an import and the demo do instead of waiting for the night."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import sqlalchemy as sa

from osler.analytics import grounds
from osler.analytics.registry import analytics, refreshes_of
from osler.db.engine import Database
from osler.eventlog import marks
from osler.jobs.queries import last_success_at
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.rollups.nightly import names_of_makers
from osler.worker.night import night_of


async def bring_up_to_date(database: Database, progress: Callable[[int], None] = lambda _: None) -> None:
    """Fold every learner who has marks, then run each nightly job once for the newest period, also if it has run.

    Progress counts learners folded and jobs done. Errors: what a fold or a job raises, once all before it are done.
    """

    async def told(learners: int) -> None:
        progress(learners)

    await drain(database, Live(database, analytics()), told=told)
    night = night_of(database)
    for job in night.jobs:
        await night.run(job.name, again=True)
        progress(1)


async def is_owed(database: Database, user_ids: Sequence[UUID]) -> bool:
    """Whether something is to be made of some of these learners.

    Events that are not folded or counted, rows that rest on what has changed; or they never had a whole night: a row is
    missing, or a nightly job never ended well.
    """
    async with database.read(primary=True) as session:
        ended = await last_success_at(session)
        if not ended.keys() >= {*names_of_makers(analytics()), "cohort"}:
            return True
        refreshes = [refresh.name for refresh in refreshes_of(analytics())]
        if await marks.any_of(session, user_ids) or await grounds.behind(session, refreshes, user_ids):
            return True
        found = await session.scalar(sa.text(_WITHOUT_A_NIGHT), {"users": list(user_ids)})
    return found is not None


_WITHOUT_A_NIGHT = """
select 1 from unnest(cast(:users as uuid[])) as u(user_id)
 where not exists (select from learner_habits h where h.user_id = u.user_id)
    or not exists (select from user_learning_metrics m where m.user_id = u.user_id)
 limit 1
"""
