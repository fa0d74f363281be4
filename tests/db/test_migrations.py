"""R01: each revision goes up, down and up again on seeded data; what migrations make is what is declared."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from tests.conftest import Cluster
from tests.support.declared import load_every_declaration
from tests.support.filling import fill

from osler.db import migrate as migration
from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.history import FOLDER, HEAD, revisions
from osler.db.schema import metadata
from osler.errors import Misconfigured

pytestmark = pytest.mark.integration
LISTED = Path(__file__).parent.parent / "golden" / "migrations.json"

# What a schema is: columns with defaults and comments, constraints, indexes, triggers, functions, grants.
SCHEMA = """
select 'column' as kind, format('%s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)) as what
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
union all select 'table', format('%s %s %s %s', relname, relkind, obj_description(oid), relrowsecurity) from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
union all select 'grant', format('%s %s', relname, (select array_agg(g::text order by g::text) from unnest(relacl) g))
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
union all select 'constraint', format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  from pg_constraint where connamespace = 'public'::regnamespace
union all select 'index', indexdef from pg_indexes where schemaname = 'public'
union all select 'trigger', format('%s %s', pg_get_triggerdef(oid), tgenabled) from pg_trigger where not tgisinternal
union all select 'function', format('%s %s', pg_get_functiondef(oid), (select array_agg(g::text order by g::text)
  from unnest(proacl) g)) from pg_proc where pronamespace = 'public'::regnamespace
"""


@pytest.fixture
async def empty(cluster: Cluster) -> AsyncIterator[str]:
    """A database without any schema."""
    name = f"m_{secrets.token_hex(6)}"
    await cluster.create(name)
    yield name
    await cluster.drop(name)


async def schema_of(connection: Driver) -> set[tuple[str, str]]:
    rows = await connection.fetch(SCHEMA)
    return {(row["kind"], row["what"]) for row in rows}


async def contents_of(connection: Driver, tables: dict[str, str]) -> dict[str, str]:
    """A digest of the rows of each table, over the columns named with it."""
    found: dict[str, str] = {}
    for table, columns in tables.items():
        rows = await connection.fetch(f'select row({columns})::text as row from "{table}" order by 1')
        found[table] = hashlib.sha256("\n".join(row["row"] for row in rows).encode()).hexdigest()
    return found


async def tables_of(connection: Driver) -> dict[str, str]:
    """The tables of a schema, each with its columns as a list to select."""
    rows = await connection.fetch(
        "select c.relname, string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns from pg_class c "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') "
        "and not relispartition and relname <> 'alembic_version' group by 1 order by 1"
    )
    return {row["relname"]: row["columns"] for row in rows}


@pytest.mark.parametrize("revision", revisions())
async def test_r01_up_down_up_gives_the_same_schema_and_keeps_the_older_rows(
    cluster: Cluster, empty: str, revision: str
) -> None:
    settings = cluster.settings(empty)
    index = revisions().index(revision)
    below = revisions()[index - 1] if index else "base"
    connection = await connect_plainly(cluster.urls(empty).admin)
    try:
        if index:
            await migration.migrate(settings, below)
        if index >= revisions().index("0002") + 1:
            filled, there = await fill(connection), await tables_of(connection)
            assert len(filled) >= 0.8 * len(there), f"unknown: nothing to lose in {sorted(set(there) - filled)}"
        tables, before = await tables_of(connection), await schema_of(connection)
        rows = await contents_of(connection, tables)
        await migration.migrate(settings, revision)
        after = await schema_of(connection)
        await migration.migrate(settings, below, down=True)
        down = await schema_of(connection)
        if index:  # going all the way down leaves Alembic's own table
            assert down == before
        assert await contents_of(connection, tables) == rows
        await migration.migrate(settings, revision)
        assert await schema_of(connection) == after
        assert await contents_of(connection, tables) == rows
    finally:
        await connection.close()


def test_a_revision_that_others_may_have_run_is_never_edited() -> None:
    """A change of the schema is a new revision, listed with its digest; an edited one would reach no existing home."""
    listed = json.loads(LISTED.read_text())
    files = [file for kind in ("versions/*.py", "sql/*.sql") for file in FOLDER.glob(kind)]
    found = {file.relative_to(FOLDER).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert found == listed


async def test_tables_are_what_migrations_make(cluster: Cluster, fresh_database: str) -> None:
    load_every_declaration()

    async def connect() -> Any:
        return await connect_plainly(cluster.urls(fresh_database).admin)

    def compare(connection: sa.Connection) -> list[Any]:
        options = {"compare_server_default": True, "include_object": migration._is_declared}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_two_migrators_at_once_take_turns(cluster: Cluster, empty: str) -> None:
    settings = cluster.settings(empty)
    changes = await asyncio.gather(*(migration.migrate(settings) for _ in range(3)))
    assert sorted(changes, key=str) == [(HEAD, HEAD), (HEAD, HEAD), (None, HEAD)]


async def test_the_application_cannot_change_the_schema(cluster: Cluster, fresh_database: str) -> None:
    connection = await connect_plainly(cluster.urls(fresh_database).app)
    try:
        for statement in ("create table t ()", "drop table users", "alter table users add x int", "truncate users"):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_everything_belongs_to_a_role_that_nobody_logs_in_as(admin: Driver) -> None:
    rows = await admin.fetch(
        "select relname, rolname, rolcanlogin from pg_class c join pg_roles r on r.oid = relowner "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v')"
    )
    assert {(row["rolname"], row["rolcanlogin"]) for row in rows} == {("osler_owner", False)}


async def test_the_application_alone_has_no_right_to_migrate(cluster: Cluster, empty: str) -> None:
    settings = cluster.settings(empty).model_copy(update={"owner_database_url": None})
    with pytest.raises(Misconfigured, match="OSLER_OWNER_DATABASE_URL"):
        await migration.migrate(settings)


async def test_the_printed_sql_makes_the_same_schema(cluster: Cluster, empty: str, admin: Driver) -> None:
    connection = await connect_plainly(cluster.urls(empty).admin)
    try:
        await connection.execute(migration.sql())
        # The offline file takes the function of version 15, which every version runs.
        made = {what for what in await schema_of(connection) if "uuid7_ts" not in what[1] or what[0] != "function"}
        real = {what for what in await schema_of(admin) if "uuid7_ts" not in what[1] or what[0] != "function"}
        assert made == real
    finally:
        await connection.close()


async def test_the_time_inside_an_id_is_exact_to_the_millisecond(admin: Driver) -> None:
    for ms in (0, 1, 1_700_000_000_123, 1_763_800_000_999, 1_893_456_000_001, 4_102_444_800_000):
        event_id = f"{ms:012x}"
        event_id = f"{event_id[:8]}-{event_id[8:]}-7abc-8def-0123456789ab"
        assert await admin.fetchval(f"select (extract(epoch from uuid7_ts('{event_id}')) * 1000)::text") in {
            f"{ms}.000000", f"{ms}.000000000", str(ms),
        }  # fmt: skip
    assert await admin.fetchval("select uuid7_ts('00000000-0000-4000-8000-000000000001')") is None
    volatility = await admin.fetchval("select provolatile::text from pg_proc where proname = 'uuid7_ts'")
    assert volatility == "i"


async def test_going_back_before_suspended_cards_has_their_learners_folded_anew(cluster: Cluster, empty: str) -> None:
    """Under 0017 all cards are in review: due days that were left empty have to come back."""
    settings = cluster.settings(empty)
    await migration.migrate(settings)
    connection = await connect_plainly(cluster.urls(empty).admin)
    try:
        for user_id, suspended in ((UUID(int=1), True), (UUID(int=2), False)):
            await connection.execute("insert into users (user_id) values ($1)", user_id)
            await connection.execute(
                "insert into learner_states (user_id, parameter_version) values ($1, 'start-1')", user_id
            )
            await connection.execute(
                "insert into cards (user_id, card_id, is_suspended) values ($1, 'c', $2)", user_id, suspended
            )
        await migration.migrate(settings, "0017", down=True)
        rows = await connection.fetch("select user_id, is_stale from learner_states order by 1")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [(UUID(int=1), True), (UUID(int=2), False)]
