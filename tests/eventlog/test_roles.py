"""Who may do what to the log: the application inserts and reads, the eraser deletes under a ticket, nobody updates."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest
from tests.support.sending import fresh_database, sending  # noqa: F401
from tests.support.wire_events import batch, event, learner

from osler.db.connect import connect_plainly

pytestmark = pytest.mark.integration
PARTITION = "select tableoid::regclass::text from study_events where user_id = $1 limit 1"
LOG = ("study_events", "question_attempts", "material_interactions")


@pytest.fixture
async def stored(database):
    user = learner()
    await sending(database)(batch([event(), event("material_open")]), user)
    return user


async def test_the_application_inserts_and_reads_and_nothing_else(admin):
    granted = await admin.fetch(
        "select table_name, privilege_type from information_schema.role_table_grants where grantee = 'osler_app' "
        "and table_name = any($1)", list(LOG),
    )  # fmt: skip
    assert {row["privilege_type"] for row in granted} == {"SELECT", "INSERT"}
    assert len(granted) == 6


async def test_partitions_carry_no_grants_of_their_own(admin):
    rows = await admin.fetch("select relacl from pg_class where relname ~ '_p20[0-9]{2}_[0-9]{2}$' and relkind = 'r'")
    assert len(rows) >= 18
    assert not [row for row in rows if row["relacl"] and "osler_app" in str(row["relacl"])]


@pytest.mark.parametrize("statement", ["update {t} set local_date = local_date", "delete from {t}", "truncate {t}"])
@pytest.mark.parametrize("table", LOG)
async def test_the_application_changes_nothing(database, stored, statement, table):
    async with database.ingest_pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(t=table))


@pytest.mark.parametrize("statement", ["update {t} set local_date = local_date", "delete from {t}", "truncate {t}"])
@pytest.mark.parametrize("target", ["study_events", "partition"])
async def test_even_a_superuser_in_replica_mode_is_stopped_by_the_trigger(admin, stored, statement, target):
    table = target
    if target == "partition":
        table = await admin.fetchval(
            "select tableoid::regclass::text from study_events where user_id = $1 limit 1", stored
        )
    async with admin.transaction():
        await admin.execute("set local session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            async with admin.transaction():
                await admin.execute(statement.format(t=table))


async def test_the_eraser_deletes_under_a_ticket_only(cluster, fresh_database, admin, stored):  # noqa: F811
    eraser = await connect_plainly(cluster.urls(fresh_database).eraser)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await eraser.execute("delete from study_events where user_id = $1", stored)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await eraser.execute("update study_events set tz = null where user_id = $1", stored)
        async with eraser.transaction():
            await eraser.execute(f"set local osler.erasure_id = '{uuid4()}'")
            assert await eraser.execute("delete from study_events where user_id = $1", stored) == "DELETE 2"
    finally:
        await eraser.close()


async def test_a_transaction_that_names_a_learner_sees_that_learner_alone(database, stored):
    count = "select count(*) from study_events where user_id = $1"
    async with database.read(user_id=learner()) as session:
        assert await session.driver().fetchval(count, stored) == 0
    async with database.read(user_id=stored) as session:
        assert await session.driver().fetchval(count, stored) == 2


async def test_the_time_of_a_row_is_that_of_its_id(admin):
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute(
            "insert into study_events (user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, "
            "local_date, schema_version, occurred_at, occurred_at_raw, zone_source, received_at, content_hash, nonce, "
            "data) select gen_random_uuid(), now(), $1, 'x', now(), 0, current_date, 1, now(), '', 'offset', now(), "
            "decode(repeat('00', 32), 'hex'), decode(repeat('00', 16), 'hex'), '{}'", event()["id"],
        )  # fmt: skip


async def test_the_application_cannot_touch_a_partition_directly(database, admin, stored):
    partition = await admin.fetchval(
        "select tableoid::regclass::text from study_events where user_id = $1 limit 1", stored
    )
    async with database.ingest_pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"select * from {partition}")
