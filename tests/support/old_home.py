"""The database of an older Osler, as it was left: its schema made by the migrations of then, its rows read from a file.

`tests/golden/homes/0006.json.gz` was written by the first version of this repository that had users' homes (revision
0006). Two learners with 20 days: the first has the whole log, the other a checkpoint and what came after it. The last
three days of both are stored and were folded by nobody.
"""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

from tests.conftest import Cluster

from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.migrate import migrate

HOMES = Path(__file__).parents[1] / "golden" / "homes"

_COLUMNS = """
select string_agg(format('%I', attname), ', ' order by attnum) from pg_attribute
 where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""


def rows_of(revision: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a home that was left at this revision, by table."""
    return json.loads(gzip.decompress((HOMES / f"{revision}.json.gz").read_bytes()))


async def restore_home(cluster: Cluster, name: str, revision: str) -> None:
    """Bring an empty database to what an older Osler had left at this revision."""
    await migrate(cluster.settings(name), revision)
    connection = await connect_plainly(cluster.urls(name).admin)
    try:
        # Rows come table by table: references are looked at by nobody meanwhile.
        await connection.execute("set session_replication_role = replica")
        for table, rows in rows_of(revision).items():
            for month in sorted({row["event_ts"][:7] for row in rows if "event_ts" in row}):
                await connection.execute("select ensure_partition($1)", date.fromisoformat(f"{month}-01"))
            await _insert(connection, table, rows)
    finally:
        await connection.close()


async def _insert(connection: Driver, table: str, rows: list[dict[str, Any]]) -> None:
    columns = await connection.fetchval(_COLUMNS, table)
    await connection.execute(
        f'insert into "{table}" ({columns}) overriding system value select {columns} '
        f'from jsonb_populate_recordset(null::"{table}", $1::text::jsonb)',
        json.dumps(rows),
    )
