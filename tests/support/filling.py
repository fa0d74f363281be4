"""One row in every table of a schema of whatever revision, made from its types and checks: something for it to lose."""

from __future__ import annotations

import re

from osler.db.driver import Driver, Record

# One id for everything: so every reference finds its row. It carries the present, so that a partition is there for it.
_HEX = "lpad(to_hex((extract(epoch from date_trunc('hour', now())) * 1000)::bigint), 12, '0')"
_ID = f"(left({_HEX}, 8) || '-' || right({_HEX}, 4) || '-7000-8000-000000000001')::uuid"
_SAMPLES = {
    "uuid": _ID, "timestamp with time zone": f"uuid7_ts({_ID})",
    "text": "'x'", "character varying": "'x'", "boolean": "true", "date": "current_date", "jsonb": "'{}'",
    "bytea": "decode(repeat('07', 32), 'hex')", "smallint": "1", "integer": "1", "bigint": "1", "real": "0.5",
    "double precision": "0.5", "numeric": "0.5", "interval": "'1 day'", "ARRAY": "'{}'",
}  # fmt: skip
_NONCE = "decode(repeat('07', 16), 'hex')"
_COLUMNS = """
select column_name as name, data_type as type, is_nullable = 'NO' as needed, column_default is null as bare
  from information_schema.columns
 where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO'
   and coalesce(column_default, '') not like 'nextval%' order by ordinal_position
"""
_TABLES = """
select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and not c.relispartition and c.relname <> 'alembic_version' order by 1
"""
_CHECKS = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'c' and conrelid = to_regclass($1)"
_ONE_OF = re.compile(r"\(?(\w+)\)? = ANY \(.*?'([^']+)'")


async def fill(connection: Driver) -> set[str]:
    """Insert a row into every table that takes one, whole or at least what is needed; the tables that hold rows now."""
    waiting = [row[0] for row in await connection.fetch(_TABLES)]
    if await connection.fetchval("select to_regproc('ensure_partition') is not null"):
        await connection.execute("select ensure_partition(current_date)")
    filled: set[str] = set()
    for _ in range(3):  # what refers to others comes after them
        for table in [each for each in waiting if each not in filled]:
            if await _has_rows(connection, table) or await _insert(connection, table):
                filled.add(table)
    return filled


async def _has_rows(connection: Driver, table: str) -> bool:
    return bool(await connection.fetchval(f'select exists (select from "{table}")'))


async def _insert(connection: Driver, table: str) -> bool:
    allowed = dict(found for row in await connection.fetch(_CHECKS, table) for found in _ONE_OF.findall(row[0]))
    columns = await connection.fetch(_COLUMNS, table)
    needed = [column for column in columns if column["needed"]]
    others = [[*needed, column] for column in columns if not column["needed"]]
    for chosen in (columns, needed, [column for column in needed if column["bare"]], *others):
        names = ", ".join(f'"{column["name"]}"' for column in chosen)
        values = ", ".join(
            f"'{allowed[column['name']]}'" if column["name"] in allowed else _sample(column) for column in chosen
        )
        try:
            async with connection.transaction():
                await connection.execute(f'insert into "{table}" ({names}) values ({values})')
        except Exception:  # noqa: BLE001 (a check that no sample meets; the caller counts what was filled)
            continue
        return True
    return False


def _sample(column: Record) -> str:
    return _NONCE if column["name"] == "nonce" else _SAMPLES.get(column["type"], "null")
