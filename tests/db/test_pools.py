"""F04, F23, F26, F27 at the database's edge: restarts, full pools, deadlocks, slow queries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.matrix import count

from osler.db.driver import Driver
from osler.db.engine import Database
from osler.db.faults import as_unavailable, is_worth_a_retry, retrying
from osler.errors import Unavailable
from osler.live.gauges import Gauges
from osler.observe import metrics
from osler.settings import Settings

pytestmark = pytest.mark.integration


async def one(database: Database) -> int:
    async with database.read() as s:
        return await s.scalar(sa.text("select 1"))


CLIENTS = (
    "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    "and backend_type = 'client backend'"
)


async def cut_everything(admin: Driver) -> int:
    """What a restart does to connections; how many were cut."""
    return await admin.fetchval(f"select count(pg_terminate_backend(pid)) from {CLIENTS}")


async def test_cut_connections_are_replaced_without_a_failed_request(database: Database, admin: Driver) -> None:
    assert await one(database) == 1
    assert await cut_everything(admin) >= 2
    async with asyncio.timeout(10):  # cutting is asked for; a busy machine does it later
        while await admin.fetchval(f"select count(*) from {CLIENTS}"):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert await one(database) == 1
    async with database.ingest_pool.acquire() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_a_connection_cut_in_the_middle_is_unavailable_not_a_bug(database: Database, admin: Driver) -> None:
    async def cut() -> None:
        async with database.write() as s:
            await s.execute(sa.text("insert into questions (question_id) values ('lost')"))
            await cut_everything(admin)
            await s.execute(sa.text("select 1"))

    with pytest.raises(Unavailable) as told:
        await cut()
    assert told.value.code == "db.away"
    assert await one(database) == 1
    assert await admin.fetchval("select count(*) from questions") == 0


async def test_f23_a_full_pool_answers_within_its_wait_and_ingestion_keeps_its_own(settings: Settings) -> None:
    size, clients = count("F23", "pool"), count("F23", "clients")
    small = settings.model_copy(update={"pool_size": size, "pool_wait_seconds": 0.5})
    async with Database.open(small) as database:

        async def hold() -> None:
            async with database.read() as s:
                await s.execute(sa.text("select pg_sleep(2)"))

        holders = [asyncio.create_task(hold()) for _ in range(size)]
        await _until(lambda: database.pool_in_use == size and not database.waiting)  # each has opened its connection
        waiters = [asyncio.create_task(_seconds(one(database))) for _ in range(clients)]
        alarms = [asyncio.create_task(_seconds(asyncio.sleep(0.5))) for _ in range(clients)]
        await _until(lambda: database.waiting == clients)
        Gauges(database).look_at_pools()
        assert metrics.REGISTRY.get_sample_value("osler_db_pool_waiting") == clients
        async with database.ingest_pool.acquire() as connection:
            assert await connection.fetchval("select 1") == 1
        ended = await asyncio.gather(*waiters)
        # The same machine wakes the alarms beside them as late as the waiters.
        late = max(seconds for seconds, _ in await asyncio.gather(*alarms)) - 0.5
        assert {getattr(failed, "code", None) for _, failed in ended} == {"db.pool"}
        assert max(seconds for seconds, _ in ended) - late < 1
        await asyncio.gather(*holders)
        assert await one(database) == 1
        assert (database.waiting, database.pool_in_use) == (0, 0)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def _seconds(work: Awaitable[object]) -> tuple[float, BaseException | None]:
    began = time.monotonic()
    [ended] = await asyncio.gather(work, return_exceptions=True)
    return time.monotonic() - began, ended if isinstance(ended, BaseException) else None


async def test_a_slow_query_is_stopped_and_its_connection_is_clean(database: Database) -> None:
    async def slow() -> None:
        async with database.read(statement_timeout_seconds=0.1) as s:
            await s.execute(sa.text("select pg_sleep(5)"))

    with pytest.raises(Unavailable) as told:
        await slow()
    assert told.value.code == "db.timeout"
    async with database.read() as s:
        assert await s.scalar(sa.text("show statement_timeout")) == "10s"


@pytest.mark.parametrize(("given_seconds", "silent"), [(None, "30s"), (1.0, "30s"), (120.0, "2min"), (3600.0, "10min")])
async def test_whoever_has_long_statements_may_compute_between_them(
    database: Database, given_seconds: float | None, silent: str
) -> None:
    async with database.write(statement_timeout_seconds=given_seconds) as s:
        assert await s.scalar(sa.text("show idle_in_transaction_session_timeout")) == silent
    async with database.write() as s:
        assert await s.scalar(sa.text("show idle_in_transaction_session_timeout")) == "30s"


async def test_a_cancelled_request_leaves_no_open_transaction(database: Database, admin: Driver) -> None:
    async def write_and_wait() -> None:
        async with database.write() as s:
            await s.execute(sa.text("insert into questions (question_id) values ('q')"))
            await s.execute(sa.text("select pg_sleep(30)"))

    task = asyncio.create_task(write_and_wait())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await one(database) == 1
    assert await admin.fetchval("select count(*) from questions") == 0
    open_ones = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'"
    assert await admin.fetchval(open_ones) == 0


async def test_f27_a_deadlock_is_retried_unseen(database: Database) -> None:
    async with database.write() as s:
        await s.execute(sa.text("insert into questions (question_id) values ('a'), ('b')"))
    met = asyncio.Barrier(2)
    tries: list[str] = []

    def update(first: str, second: str):
        async def work() -> None:
            tries.append(first)
            async with database.write() as s:
                await s.execute(_BUMP, {"id": first})
                if len(tries) <= 2:
                    await met.wait()
                await s.execute(_BUMP, {"id": second})

        return work

    await asyncio.gather(retrying(update("a", "b")), retrying(update("b", "a")))
    assert len(tries) == 3  # there was a deadlock, and one of the two ran again
    async with database.read() as s:
        assert await s.tuples(sa.text("select distinct key_version from questions")) == [(3,)]


async def test_reading_cannot_write(database: Database) -> None:
    async def write() -> None:
        async with database.read() as s:
            await s.execute(sa.text("insert into questions (question_id) values ('q')"))

    with pytest.raises(Exception, match="read-only transaction"):
        await write()


async def test_the_learner_of_a_transaction_ends_with_it(database: Database) -> None:
    learner = UUID("00000000-0000-4000-8000-000000000001")
    async with database.read(user_id=learner) as s:
        assert await s.scalar(sa.text("select session_user_id()")) == learner
    async with database.read() as s:
        assert await s.scalar(sa.text("select session_user_id()")) is None


async def test_the_database_clock_is_followed(database: Database, admin: Driver) -> None:
    told, real = await database.now(), await admin.fetchval("select clock_timestamp()")
    assert abs((told - real).total_seconds()) < 0.5
    assert await database.now() > told


async def test_every_query_is_timed_under_its_name_if_it_has_one(database: Database) -> None:
    seen: list[str | None] = []
    database.on_query = lambda name, seconds: seen.append(name)
    async with database.read() as s:
        await s.scalar(sa.text("select 1"), name="one")
        await s.scalar(sa.text("select 1"))
    assert seen == ["one", None]


def test_a_bug_is_not_called_unavailable() -> None:
    assert as_unavailable(KeyError("x")) is None
    assert not is_worth_a_retry(KeyError("x"))


_BUMP = sa.text("update questions set key_version = key_version + 1 where question_id = :id")
