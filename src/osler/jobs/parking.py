"""Learner-days that make a job raise are set aside with their reason, so that all the others are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.session import ReadSession, WriteSession
from osler.errors import OslerError
from osler.jobs.tables import job_parked


@dataclass(frozen=True, slots=True)
class Parked:
    """One learner-day that was set aside."""

    user_id: UUID
    local_date: date
    period: str
    reason: str
    tries: int
    parked_at: datetime


def reason_of(failed: BaseException) -> str:
    """The kind of an error and its code: never its text, which may quote a learner's data."""
    kind = type(failed).__name__
    return f"{kind} {failed.code}" if isinstance(failed, OslerError) else kind


async def park(s: WriteSession, job: str, user_id: UUID, local_date: date, *, period: str, reason: str) -> None:
    """Set a learner-day aside; again and again counts the tries."""
    row = {"job": job, "user_id": user_id, "local_date": local_date, "period": period, "reason": reason}
    insert = pg.insert(job_parked).values(row)
    newer = {
        "period": insert.excluded.period,
        "reason": insert.excluded.reason,
        "tries": job_parked.c.tries + 1,
        "parked_at": sa.func.now(),
    }
    await s.execute(insert.on_conflict_do_update(index_elements=["job", "user_id", "local_date"], set_=newer))


async def release(
    s: WriteSession, job: str, user_id: UUID | None = None, local_date: date | None = None
) -> list[tuple[UUID, date]]:
    """Take back what was set aside: all of the job, of a learner, or one. The learner-days, which are owed again."""
    chosen = [job_parked.c.job == job]
    if user_id is not None:
        chosen.append(job_parked.c.user_id == user_id)
    if local_date is not None:
        chosen.append(job_parked.c.local_date == local_date)
    back = sa.delete(job_parked).where(*chosen).returning(job_parked.c.user_id, job_parked.c.local_date)
    return [(row["user_id"], row["local_date"]) for row in (await s.execute(back)).mappings()]


async def parked(s: ReadSession, job: str) -> list[Parked]:
    """What is set aside of a job, oldest day first."""
    table = job_parked.c
    chosen = sa.select(table.user_id, table.local_date, table.period, table.reason, table.tries, table.parked_at)
    rows = await s.tuples(chosen.where(table.job == job).order_by(table.local_date, table.user_id))
    return [Parked(*row) for row in rows]
