"""Hands the log's marks out to the jobs that count: one entry for each job, appended, never merged.

One consumer (`rollup`) stands for all nightly jobs in the log, so that ingestion writes one mark and not six. Taking
a mark and appending its entries is one transaction, so a mark is never lost between the two. What counts rows that
another job counts gets its entries from that one, once it has counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from osler.db.session import WriteSession
from osler.eventlog import marks

MARKS_AT_ONCE = 20_000
DAYS_AT_ONCE = 5_000

UNFOLDED = "unfolded"
"""Entries under this name are of no job: days that are counted though a fold is still to come, and then once more."""

_OWE = """
insert into stale_days (user_id, job, local_date)
select distinct m.user_id, j.job, m.local_date
  from unnest($1::uuid[], $2::date[]) as m(user_id, local_date), unnest($3::text[]) as j(job)
"""
_UNFOLDED = f"""
insert into stale_days (user_id, job, local_date)
select distinct m.user_id, '{UNFOLDED}', m.local_date from unnest($1::uuid[], $2::date[]) as m(user_id, local_date)
 where exists (select from dirty_days d where d.user_id = m.user_id and d.consumer = '{marks.LIVE}')
"""
_FOLDED_SINCE = f"""
with folded as (
    delete from stale_days s where s.job = '{UNFOLDED}'
       and not exists (select from dirty_days d where d.user_id = s.user_id and d.consumer = '{marks.LIVE}')
    returning s.user_id, s.local_date),
handed as (
    insert into stale_days (user_id, job, local_date)
    select distinct f.user_id, j.job, f.local_date from folded f, unnest($1::text[]) as j(job))
select count(*) from folded
"""

# Of a version of before, or of an analytic that was taken away: nobody would ever take these.
_OF_NO_JOB = "delete from stale_days where job <> all($1::text[])"

_TAKE = """
with seen as (
    select user_id, local_date from stale_days where job = $1
     group by 1, 2 order by 1, 2 limit $2),
gone as (
    delete from stale_days d using seen s
     where d.job = $1 and d.user_id = s.user_id and d.local_date = s.local_date
    returning d.user_id, d.local_date)
select distinct user_id, local_date from gone order by 1, 2
"""


_TAKE_DAY = "delete from stale_days where job = $1 and user_id = $2 and local_date = $3"


@dataclass(frozen=True, slots=True)
class Taken:
    """Distinct learner-days as parallel columns, in the order of learner and day."""

    user_ids: list[UUID]
    local_dates: list[date]

    def __bool__(self) -> bool:
        return bool(self.user_ids)

    @property
    def learners(self) -> list[UUID]:
        """Each learner once."""
        return list(dict.fromkeys(self.user_ids))


async def forget_others(session: WriteSession, jobs: Sequence[str]) -> None:
    """Delete entries of jobs that there are not."""
    await session.driver().execute(_OF_NO_JOB, [*jobs, UNFOLDED])


async def hand_out(session: WriteSession, jobs: Sequence[str]) -> int:
    """Turn the oldest marks into entries of these jobs; gives how many marks were turned, 0 when none is left.

    Counts rest on what was folded: days of learners with events that nobody has folded are handed out again after it.
    """
    again: int = await session.driver().fetchval(_FOLDED_SINCE, list(jobs))
    taken = await marks.take_all(session, marks.ROLLUP, MARKS_AT_ONCE)
    if not taken:
        return again
    users, days = [mark.user_id for mark in taken], [mark.local_date for mark in taken]
    await session.driver().execute(_OWE, users, days, list(jobs))
    await session.driver().execute(_UNFOLDED, users, days)
    await marks.delete(session, taken)
    return len(taken) + again


async def owe(session: WriteSession, jobs: Sequence[str], days: Sequence[tuple[UUID, date]]) -> None:
    """Have these learner-days counted again by each of the jobs, and then by those that rest on them."""
    await session.driver().execute(_OWE, [user for user, _ in days], [day for _, day in days], list(jobs))


async def take(session: WriteSession, job: str, limit: int = DAYS_AT_ONCE) -> Taken:
    """Take entries of a job: deleted with the caller's transaction, which must count these days in it.

    The count must come in a later statement than this one: its snapshot then holds everything that was handed out.
    """
    rows: Any = await session.driver().fetch(_TAKE, job, limit)
    return Taken([row["user_id"] for row in rows], [row["local_date"] for row in rows])


async def take_day(session: WriteSession, job: str, user_id: UUID, local_date: date) -> None:
    """Take the entries of one learner-day, whatever becomes of it."""
    await session.driver().execute(_TAKE_DAY, job, user_id, local_date)
