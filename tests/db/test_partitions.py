"""Partitions are there before they are needed, are bounded, and keep no writer waiting."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from osler.db import partitions
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.errors import Unavailable

LOG = """
create table log (user_id uuid not null, event_ts timestamptz not null, primary key (user_id, event_ts))
  partition by range (event_ts);
create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append only'; end $$;
create trigger no_truncate before truncate on log for each statement execute function refuse();
create trigger no_update before update on log for each row execute function refuse();
alter table log enable always trigger no_truncate;
alter table log enable always trigger no_update;
alter table log owner to osler_owner;
grant insert, select on log to osler_app;
create or replace function partitioned_log_tables() returns setof text language sql immutable as $$ select 'log' $$;
"""


@pytest.fixture
async def log(admin: Driver) -> None:
    await admin.execute(LOG)


def test_months_ahead_cross_the_year() -> None:
    assert partitions.months_ahead(date(2026, 11, 22)) == [
        date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1),
    ]  # fmt: skip


def test_prepared_months_are_counted_after_this_one() -> None:
    assert partitions.whole_months_between(date(2026, 11, 22), date(2027, 3, 1)) == 3
    assert partitions.whole_months_between(date(2026, 11, 22), date(2026, 12, 1)) == 0


@pytest.mark.integration
async def test_three_months_ahead_are_made_once(database: Database, log: None) -> None:
    assert await partitions.ensure_ahead(database) == 5
    assert await partitions.ensure_ahead(database) == 0
    async with database.read() as s:
        until = (await partitions.prepared_until(s))["log"]
    assert until is not None
    assert partitions.whole_months_between((await database.now()).date(), until.date()) == 3


@pytest.mark.integration
async def test_a_partition_inherits_what_guards_its_parent(database: Database, log: None, admin: Driver) -> None:
    await partitions.ensure_months(database, [date(2024, 5, 17)])
    await admin.execute("insert into log values (gen_random_uuid(), '2024-05-03')")
    for statement in ("truncate log_p2024_05", "update log_p2024_05 set event_ts = event_ts"):
        for role in ("origin", "replica"):
            with pytest.raises(Exception, match="append only"):
                await admin.execute(f"set session_replication_role = {role}; {statement}")


@pytest.mark.integration
@pytest.mark.parametrize("month", [date(1990, 1, 1), date(2300, 1, 1)])
async def test_far_months_are_refused(database: Database, log: None, month: date) -> None:
    with pytest.raises(DBAPIError, match="twenty years back"):
        await partitions.ensure_months(database, [month])


@pytest.mark.integration
async def test_many_makers_at_once_make_each_partition_once(database: Database, log: None) -> None:
    made = await asyncio.gather(*(partitions.ensure_ahead(database) for _ in range(5)))
    assert sum(made) == 5


@pytest.mark.integration
async def test_a_writer_never_waits_for_a_new_partition(database: Database, log: None, admin: Driver) -> None:
    """A report reads, an insert is open, a partition is made beside both; a next insert passes at once."""
    await partitions.ensure_ahead(database)
    async with database.read() as report, database.write() as writer:
        await report.rows(sa.text("select count(*) from log"))
        await writer.execute(sa.text("insert into log values (gen_random_uuid(), now())"))
        assert await partitions.ensure_months(database, [date(2025, 1, 1)]) == 1
        async with asyncio.timeout(10):  # behind the lock of the open insert it would wait for ever
            await admin.execute("insert into log values (gen_random_uuid(), now())")


@pytest.mark.integration
async def test_behind_a_foreign_lock_it_gives_up_instead_of_queueing(
    database: Database, log: None, admin: Driver
) -> None:
    await partitions.ensure_ahead(database)
    async with admin.transaction():
        await admin.execute("lock table log in share update exclusive mode")
        making = asyncio.create_task(partitions.ensure_months(database, [date(2025, 1, 1)]))
        await asyncio.sleep(0.3)
        async with database.write() as writer, asyncio.timeout(1.5):
            await writer.execute(sa.text("insert into log values (gen_random_uuid(), now())"))
        with pytest.raises(Unavailable):
            await making
