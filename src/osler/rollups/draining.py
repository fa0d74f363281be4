"""Works off everything that the nightly jobs have still to see, at once and without waiting for the night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from osler.analytics.contract import Analytic, DayRollup, Refresh
from osler.analytics.grounds import owed
from osler.db.engine import Database
from osler.db.faults import retrying
from osler.db.session import WriteSession
from osler.jobs.telling import Told, silent
from osler.rollups.first_look import wait_for_first_looks
from osler.rollups.handing_out import take
from osler.rollups.making import Making
from osler.rollups.settling import LEARNERS_AT_ONCE


async def drain(
    database: Database,
    analytics: Sequence[Analytic],
    *,
    as_of: datetime | None = None,
    only: Sequence[UUID] | None = None,
    told: Told = silent,
) -> int:
    """Count every changed day, and make all rows again that rest on what has moved; gives the learner-days counted.

    Rows are as of `as_of`, or of the database's present instant, and never before the last folded event; of everybody,
    or of `only` these learners. Live has to be drained before: counts rest on item memories. Safe beside a running
    night: each takes its own. `told` hears of so many more days counted and learners looked at.
    """
    making, handed = Making(analytics), True
    while handed:
        handed = await retrying(partial(_hand_out, database, making))
    counted = 0
    for rollup in making.rollups:
        counted += await _count(database, making, rollup, told)
    # One instant for all: rows of one learner are then of one moment.
    instant = as_of or await database.now()
    for refresh in making.refreshes:
        await _refresh(database, making, refresh, instant, only=only, told=told)
    return counted


async def _hand_out(database: Database, making: Making) -> bool:
    async with database.write() as session:
        return await making.hand_out(session) > 0


async def _count(database: Database, making: Making, rollup: DayRollup, told: Told) -> int:
    """Count chunk by chunk. A fold of several learners may want the same rows the other way round: then once more."""
    limit = database.settings.job_statement_timeout_seconds

    async def some() -> int:
        async with database.write(statement_timeout_seconds=limit) as session:
            await wait_for_first_looks(session)
            taken = await take(session, rollup.name)
            if taken:
                await making.count(session, rollup, taken)
            return len(taken.user_ids)

    counted = 0
    while done := await retrying(some):
        counted += done
        await told(done)
    return counted


async def _refresh(
    database: Database, making: Making, refresh: Refresh, as_of: datetime, *, only: Sequence[UUID] | None, told: Told
) -> None:
    limit = database.settings.job_statement_timeout_seconds  # it may read all of a learner, as a job does

    async def some(after: UUID) -> Sequence[UUID]:
        async with database.write(statement_timeout_seconds=limit) as session:
            await wait_for_first_looks(session)
            chunk = await owed(session, refresh.name, LEARNERS_AT_ONCE, after, only)
            if chunk:
                await making.refresh(session, refresh, chunk, as_of)
            return chunk

    after = UUID(int=0)
    while chunk := await retrying(partial(some, after)):
        after = chunk[-1]
        await told(len(chunk))


_OWE = """
insert into stale_days (user_id, job, local_date)
select d.user_id, j.job, d.local_date
  from (select distinct e.user_id, e.local_date from study_events e
         where ($2::uuid[] is null or e.user_id = any($2))
           and e.local_date > coalesce((select (max(c.event_ts) at time zone 'UTC')::date + 2
                                          from state_checkpoints c where c.user_id = e.user_id), '-infinity')) d,
       unnest($1::text[]) as j(job)
"""
_FORGET = "delete from refreshed where $1::uuid[] is null or user_id = any($1)"


async def owe_everything(
    session: WriteSession, analytics: Sequence[Analytic], only: Sequence[UUID] | None = None
) -> None:
    """Have every learner-day of the log counted again, and all rows of everybody (or `only` these) made again."""
    users = None if only is None else list(only)
    await session.driver().execute(_OWE, Making(analytics).first, users)
    await session.driver().execute(_FORGET, users)
