"""Monthly partitions: made three months ahead, at start-up, each night, after a long sleep, and for old imports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from osler.db.engine import Database
from osler.db.session import ReadSession, WriteSession

MONTHS_AHEAD = 3

_ENSURE = sa.text("select ensure_partition(:month)").bindparams(sa.bindparam("month", type_=sa.Date))

# The upper bound of the newest partition of each partitioned table, as the server writes it.
NEWEST_SQL = (
    "select p.relname as parent, max(substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \\(''([^'']+)''\\)')"
    "::timestamptz) as until from partitioned_log_tables() t(name) join pg_class p on p.oid = to_regclass(t.name) "
    "left join pg_inherits i on i.inhparent = p.oid left join pg_class c on c.oid = i.inhrelid group by 1 order by 1"
)


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def months_later(month: date, count: int) -> date:
    """The first day of the month `count` months on; `count` may be negative."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def months_ahead(today: date, count: int = MONTHS_AHEAD) -> list[date]:
    """Last month (late events, slow clocks), this one, and `count` more."""
    return [months_later(month_of(today), step) for step in range(-1, count + 1)]


async def ensure_ahead(database: Database) -> int:
    """Make what is missing up to three months ahead of the database's clock; how many partitions were made.

    Each month is a transaction of its own: writers wait for none of them.
    """
    return await ensure_months(database, months_ahead((await database.now()).date()))


async def ensure_months(database: Database, months: Iterable[date]) -> int:
    """Make the partitions of these months, each in its own transaction.

    Errors: Unavailable when a lock on a table could not be had in some seconds of trying.
    """
    made = 0
    for month in sorted({month_of(day) for day in months}):
        async with database.write() as session:
            made += await ensure_month(session, month)
    return made


async def ensure_month(session: WriteSession, month: date) -> int:
    """Make the partitions of one month inside a transaction of the caller's."""
    return int(await session.scalar(_ENSURE, {"month": month_of(month)}))


async def prepared_until(session: ReadSession) -> dict[str, datetime | None]:
    """For each partitioned table, the instant up to which there are partitions; None when it has none."""
    return {row["parent"]: row["until"] for row in await session.rows(sa.text(NEWEST_SQL))}


def whole_months_between(today: date, until: date) -> int:
    """Months after this one that are prepared: the alert's figure (fires below 2)."""
    return (until.year - today.year) * 12 + until.month - today.month - 1
