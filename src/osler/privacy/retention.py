"""When a month leaves the log: after its time, with the states that need it checkpointed first, and on record."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.faults import is_worth_a_retry
from osler.db.migrate import owner_url
from osler.db.partitions import months_later
from osler.errors import Unavailable
from osler.settings import Settings

GRACE = timedelta(days=1)
"""One day more than the retention, so that no batch meets a partition that is being dropped."""

IMPORT_REST = timedelta(days=7)
"""A month that an import filled lately stays a week, so that its states are folded and can be looked at."""

TRIES = 8

Checkpoint = Callable[[datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DueMonth:
    """A partition whose time is over."""

    partition: str
    upper_at: datetime


async def retain(settings: Settings, checkpoint: Checkpoint, at: datetime) -> dict[str, int]:
    """Drop every month that is due at that instant; rows dropped, by partition.

    `checkpoint(upper_at)` is awaited before anything is dropped: it keeps the states of every learner with events
    before that instant, so that replay can start from them. When it fails nothing is dropped.

    Errors: Unavailable when a lock could not be had in eight tries of half a second.
    """
    connection = await connect_plainly(await owner_url(settings))
    try:
        await connection.execute("set role osler_retention")
        due = await due_months(connection, at, settings.retention_months)
        if due:
            await checkpoint(max(month.upper_at for month in due))
        cutoff = retention_cutoff(at, settings.retention_months)
        return {month.partition: await _drop(connection, month, cutoff) for month in due}
    finally:
        await connection.close()


def retention_cutoff(at: datetime, months: int) -> datetime:
    """What ended before this instant is over its time: so many months and a day ago, to the start of that day."""
    day = at - GRACE
    first = months_later(day.date(), -months)
    last_day = (months_later(first, 1) - timedelta(days=1)).day
    there = first.replace(day=min(day.day, last_day))
    return datetime.combine(there, time(), tzinfo=at.tzinfo)


async def due_months(connection: Driver, at: datetime, months: int) -> list[DueMonth]:
    """Partitions that ended before the cut-off, oldest first, without those that an import filled within a week."""
    cutoff = retention_cutoff(at, months)
    found: list[DueMonth] = []
    for record in await connection.fetch(_PARTITIONS, cutoff):
        newest: Any = await connection.fetchval(_NEWEST, record["low"], record["high"])
        if newest is None or newest < at - IMPORT_REST:
            found.append(DueMonth(record["partition"], record["high"]))
    return found


# Only the envelopes know when they were received; the typed bodies of a month leave with them.
_NEWEST = "select max(received_at) from study_events where event_ts >= $1 and event_ts < $2"

_PARTITIONS = """
with months as (
  select parent.relname as parent, child.relname as partition,
         regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \\(''(.+)''\\) TO \\(''(.+)''\\)') as bounds
    from pg_inherits i join pg_class child on child.oid = i.inhrelid join pg_class parent on parent.oid = i.inhparent
   where parent.relname in (select * from partitioned_log_tables()) and child.relkind = 'r'
)
select parent, partition, bounds[1]::timestamptz as low, bounds[2]::timestamptz as high
  from months where bounds[2]::timestamptz <= $1 order by 4, 2
"""


async def _drop(connection: Driver, month: DueMonth, cutoff: datetime) -> int:
    for attempt in range(TRIES):
        try:
            dropped: Any = await connection.fetchval("select drop_due_partition($1, $2)", month.partition, cutoff)
        except Exception as failed:
            if not is_worth_a_retry(failed):
                raise
            await asyncio.sleep(0.1 * (attempt + 1) * (0.5 + secrets.randbelow(1000) / 1000))
        else:
            return int(dropped)
    raise Unavailable(f"{month.partition} is in use; the next run drops it", code="retention.locked")
