"""Works off everything that the nightly jobs have still to see, at once and without waiting for the night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from osler.analytics.contract import Analytic, DayRollup, Days, Refresh
from osler.analytics.registry import refreshes_of
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.rollups.first_look import wait_for_first_looks
from osler.rollups.handing_out import hand_out, stale_learners, take, take_learners
from osler.rollups.nightly import stale_names
from osler.rollups.settling import LEARNERS_AT_ONCE, moments_of


async def drain(database: Database, analytics: Sequence[Analytic], *, as_of: datetime | None = None) -> int:
    """Count every changed day and refresh every learner who has one; gives the learner-days counted.

    Refreshed rows are as of `as_of`, or of the database's present instant, and never before the last folded event.

    Live has to be drained before: counts rest on item memories. Safe beside a running night: each takes its own.
    """
    names = stale_names(analytics)
    handed = True
    while handed:
        async with database.write() as session:
            handed = await hand_out(session, names) > 0
    counted = 0
    for rollup in [rollup for analytic in analytics for rollup in analytic.rollups]:
        counted += await _count(database, rollup)
    # One instant for all: refreshes that share a table of instants would else tell different ones.
    instant = as_of or await database.now()
    for refresh in refreshes_of(analytics):
        await _refresh(database, refresh, instant)
    return counted


async def _count(database: Database, rollup: DayRollup) -> int:
    counted, limit = 0, database.settings.job_statement_timeout_seconds
    while True:
        async with database.write(statement_timeout_seconds=limit) as session:
            await wait_for_first_looks(session)
            taken = await take(session, rollup.name)
            if not taken:
                return counted
            await rollup.recount(session, Days(taken.user_ids, taken.local_dates))
        counted += len(taken.user_ids)


async def _refresh(database: Database, refresh: Refresh, as_of: datetime) -> None:
    limit = database.settings.job_statement_timeout_seconds  # it may read all of a learner, as a job does
    while True:
        async with database.write(statement_timeout_seconds=limit) as session:
            chunk = await stale_learners(session, refresh.name, LEARNERS_AT_ONCE)
            if not chunk:
                return
            await wait_for_first_looks(session)
            await take_learners(session, refresh.name, chunk)
            for moments in (await moments_of(session, chunk, as_of)).values():
                await refresh.refresh(session, moments)


_OWE = """
insert into stale_days (user_id, job, local_date)
select d.user_id, j.job, d.local_date
  from (select distinct user_id, local_date from study_events where $2::uuid[] is null or user_id = any($2)) d,
       unnest($1::text[]) as j(job)
"""


async def owe_everything(
    session: WriteSession, analytics: Sequence[Analytic], only: Sequence[UUID] | None = None
) -> None:
    """Have every learner-day of the log counted again, and every learner (or `only` these) refreshed."""
    users = None if only is None else list(only)
    await session.driver().execute(_OWE, stale_names(analytics), users)
