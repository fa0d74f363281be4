"""E15, E23 to E27: what must hold when others act at the same moment; each proves that the moment was met."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from tests.support.matrix import count
from tests.support.sending import (  # noqa: F401
    Send,
    assert_adds_up,
    bury,
    codes,
    fresh_database,
    sending,
    stored_ids,
    survivors,
)
from tests.support.wire_events import batch, event, learner, now_ms

from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.eventlog import marks
from osler.eventlog.tombstones import KEY_NAME, LOCK_SPACE, bucket, subject_mac
from osler.ingest.work import Sender
from osler.observe.keys import secret_key

pytestmark = [pytest.mark.integration, pytest.mark.fault]
SQL = Path(__file__).parents[2] / "src/osler/migrations/sql/0015_append_events.sql"
DAY = 86_400_000


@pytest.fixture
def send(database: Database) -> Send:
    return sending(database)


@pytest.fixture
async def eraser(cluster, fresh_database):  # noqa: F811
    connection = await connect_plainly(cluster.urls(fresh_database).eraser)
    yield connection
    await connection.close()


async def _waits_for_lock(admin, count: int = 1) -> None:
    """Until that many sessions wait for an advisory lock: the proof that the race is on."""
    for _ in range(500):
        waiting = await admin.fetchval("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        if waiting >= count:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody waited: the race did not take place")


@asynccontextmanager
async def burying(eraser, database, user):
    """An erasure that holds its lock with the tombstone written, and commits when the block ends."""
    mac = subject_mac(secret_key(database.settings.home, KEY_NAME), user)
    async with eraser.transaction():
        await eraser.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, bucket(user))
        await eraser.execute("insert into tombstones (subject_mac) values ($1)", mac)
        yield


async def _erased_while_waiting(send, database, admin, eraser) -> int:
    """Rows that survive when a writer waited for the lock while its learner was buried."""
    user = learner()
    async with burying(eraser, database, user):
        writing = asyncio.ensure_future(send(batch([event() for _ in range(5)]), user))  # noqa: RUF006  (awaited below, outside)
        await _waits_for_lock(admin)
    await writing
    left = await survivors(admin, user)
    await bury(eraser, database, user)
    return left


async def test_e15_a_writer_that_waited_for_the_lock_sees_the_tombstone(send, database, admin, eraser):
    for _ in range(5):
        assert await _erased_while_waiting(send, database, admin, eraser) == 0


async def test_e15_erasure_racing_eight_writers_leaves_nothing(send, database, admin, eraser):
    written = 0
    rounds = count("E15", "rounds")
    for _ in range(rounds):
        user = learner()

        async def write(user=user) -> int:
            stored = 0
            for _ in range(4):
                stored += (await send(batch([event()]), user)).counts()["accepted"]
            return stored

        writers = [asyncio.create_task(write()) for _ in range(8)]
        while not await stored_ids(admin, user):
            await asyncio.sleep(0.001)
        await bury(eraser, database, user)
        written += sum(await asyncio.gather(*writers))
        assert await survivors(admin, user) == 0
    assert written > rounds, "the race did not take place"


MERGED = """
  select array_agg(s.user_id) into erased from unnest(p_subjects, p_macs) as s(user_id, mac)
   where (select count(pg_advisory_xact_lock_shared(1, b)) from unnest(p_buckets) b) >= 0
     and exists (select from tombstones t where t.subject_mac = s.mac);
"""


async def test_e25_the_tombstone_test_inside_the_locks_statement_turns_the_suite_red(send, database, admin, eraser):
    """The mutation that the separate statements guard against: the same race must then leave rows."""
    original = SQL.read_text()
    lock = original.index("  perform pg_advisory_xact_lock_shared")
    test = original.index("  select array_agg(u.user_id)")
    mutated = original[:lock] + MERGED + original[test:]
    definition = mutated.replace("create function", "create or replace function", 1)
    try:
        await admin.execute(definition)
        assert await _erased_while_waiting(send, database, admin, eraser) > 0
    finally:
        await admin.execute(original.replace("create function", "create or replace function", 1))
    assert await _erased_while_waiting(send, database, admin, eraser) == 0


async def test_e25_an_older_snapshot_is_refused(database):
    async with database.ingest_pool.acquire() as connection:
        with pytest.raises(Exception, match="READ COMMITTED"):
            async with connection.transaction(isolation="repeatable_read"):
                await connection.fetch(
                    "select append_events(0, gen_random_uuid(), '{}', '{}', '{}', '{}', null, null, now(), null, null,"
                    " null, '', '', '{}', '{}', '{}', '{}')"
                )


async def test_e23_a_consumer_among_overlapping_writers_skips_nothing(send, database, admin):
    users = [learner() for _ in range(4)]
    seen, busy, done = 0, 0, asyncio.Event()

    async def consume() -> None:
        nonlocal seen, busy
        while True:
            last = done.is_set()
            async with database.write() as session:
                taken = [m for m in await marks.take_all(session, marks.LIVE) if m.user_id in users]
                await asyncio.sleep(0)
                deleted = await marks.delete(session, taken)
            assert deleted == len(taken)
            seen += sum(mark.n_events for mark in taken)
            busy += bool(taken) and not last
            if last and not taken:
                return

    async def write(n: int) -> int:
        stored = 0
        while asyncio.get_running_loop().time() < until:
            stored += (await send(batch([event() for _ in range(5)]), users[n % 4])).counts()["accepted"]
        return stored

    until = asyncio.get_running_loop().time() + count("E23", "seconds")
    consumer = asyncio.create_task(consume())
    stored = sum(await asyncio.gather(*(write(n) for n in range(8))))
    done.set()
    await consumer
    assert stored == seen >= 8 * 5
    assert busy > 1, "unknown: no marks were taken while writers were writing"


@pytest.mark.parametrize("consumer_first", [True, False])
async def test_e24_a_mark_deleted_at_that_moment_loses_nothing(send, database, admin, consumer_first):
    user = learner()
    await send(batch([event()]), user)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(database.write())
        if consumer_first:
            taken = await marks.take(session, user, marks.ROLLUP)
            await send(batch([event()]), user)
        else:
            await send(batch([event()]), user)
            taken = await marks.take(session, user, marks.ROLLUP)
        counted = await session.driver().fetchval("select count(*) from study_events where user_id = $1", user)
        await marks.delete(session, taken)
    left = await admin.fetchval("select sum(n_events) from dirty_days where user_id = $1 and consumer = 'rollup'", user)
    assert len(taken) == (1 if consumer_first else 2)
    assert counted + (left or 0) >= 2
    assert (left or 0) == (1 if consumer_first else 0)


async def test_e26_a_month_that_cannot_be_made_puts_off_its_own_events_alone(send, admin):
    user = learner()
    far = event(ms=now_ms() - 400 * DAY)
    await admin.execute("revoke execute on function ensure_partition(date) from osler_app")
    try:
        taken = await send(batch([event(), far]), user)
    finally:
        await admin.execute("grant execute on function ensure_partition(date) to osler_app")
    assert codes(taken) == ["accepted", "storage.partition_missing"]
    assert taken.outcomes[1].status.value == "retry"
    assert codes(await send(batch([far]), user)) == ["accepted"]


async def test_e27_a_service_batch_of_many_learners_takes_few_locks(send, admin):
    users = [learner() for _ in range(200)]
    events = [event(user_id=str(user)) for user in users for _ in range(3)]
    taken = await send(batch(events), learner(), sender=Sender(is_service=True, may_create=True))
    assert taken.counts()["accepted"] == 600
    assert_adds_up(taken, 600)
    assert (
        await admin.fetchval("select count(distinct user_id) from study_events where user_id = any($1)", users) == 200
    )


async def test_f26_batches_with_the_same_ids_in_opposite_order_never_wait_for_each_other(send, admin):
    for _ in range(count("F26", "rounds")):
        user = learner()  # a new one each time: one learner alone would meet the limit of events a minute
        events = [event(ms=now_ms() + n) for n in range(40)]
        answers = await asyncio.gather(
            *(send(batch(order), user) for order in (events, events[::-1], events, events[::-1]))
        )
        assert sum(taken.counts()["accepted"] for taken in answers) == 40
        assert sum(taken.counts()["duplicate"] for taken in answers) == 120


async def test_f27_a_lock_time_out_is_tried_again_unseen(send, database, admin, eraser):
    user = learner()
    async with eraser.transaction():
        await eraser.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, bucket(user))
        writing = asyncio.create_task(send(batch([event()]), user))
        await _waits_for_lock(admin)
        waiter = await admin.fetchval("select pid from pg_locks where locktype = 'advisory' and not granted")
        await asyncio.sleep(database.settings.lock_timeout_seconds + 0.3)
        assert not writing.done()
    assert codes(await writing) == ["accepted"]
    assert waiter
