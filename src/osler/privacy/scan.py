"""Is a person anywhere in the database? Every table of the catalogue is read, also those that nobody declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from osler.db.driver import Driver

# The ledger is the one place that names the learner while the erasure goes on; it is blanked with the certificate.
LEDGER = "erasures"

# Partitions are read through their parents. Temporary and system schemas hold nothing of ours.
_TABLES = """
select n.nspname, c.relname, n.nspname <> 'public' or c.relname <> $1 as is_searched
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition
   and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
 order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found: tables read, and rows that hold the pseudonym, by table."""

    tables: int
    hits: dict[str, int]


async def scan(connection: Driver, user_id: UUID) -> Scan:
    """Search every row of every table for the pseudonym, written with or without hyphens, in any column.

    The row as text is searched, so a column that is an array, JSON or text is covered as well as one that is a UUID.
    A full read of the database, whatever it takes.
    """
    hits: dict[str, int] = {}
    tables = [record for record in await connection.fetch(_TABLES, LEDGER) if record["is_searched"]]
    for record in tables:
        name = f"{_quoted(record['nspname'])}.{_quoted(record['relname'])}"
        found: Any = await connection.fetchval(
            f"select count(*) from {name} t where strpos(lower(t::text), $1) > 0 or strpos(lower(t::text), $2) > 0",
            str(user_id),
            user_id.hex,
        )
        if found:
            hits[record["relname"]] = found
    return Scan(len(tables), hits)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
