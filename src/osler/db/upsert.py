"""Many rows of one table in one statement, whatever their number: `unnest` of one array for each column."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.session import WriteSession

# Arrays of arrays must be rectangular in PostgreSQL, so a list travels as text with this between its parts.
SEPARATOR = "\x1f"

_DIALECT = pg.dialect()


class OnConflict(Enum):
    """What a row does whose key is there: replace the other columns, or leave what stands."""

    UPDATE = "update"
    NOTHING = "nothing"


class Upsert:
    """A prepared way to write rows of `columns` into a table; its key is the table's primary key.

    Values: lists of the elements' text for array columns, JSON text for JSONB, None for null.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str], on_conflict: OnConflict = OnConflict.UPDATE) -> None:
        self.columns = tuple(columns)
        kinds = [table.c[name].type for name in columns]
        self._lists = [index for index, kind in enumerate(kinds) if isinstance(kind, pg.ARRAY)]
        names = ", ".join(columns)
        keys = [column.name for column in table.primary_key.columns]
        self._travelling = [f"{_travels_as(kind)}[]" for kind in kinds]
        values = ", ".join(_arrives_as(name, kind) for name, kind in zip(columns, kinds, strict=True))
        changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
        action = f"update set {changed}" if on_conflict is OnConflict.UPDATE and changed else "nothing"
        # Names come from declared tables, never from outside.
        self._before = f"insert into {table.name} ({names}) select {values} from unnest("
        self._after = f") as t({names}) on conflict ({', '.join(keys)}) do {action}"
        self.sql = self.sql_from(1)

    def sql_from(self, first: int) -> str:
        """The statement with its parameters numbered from `first` on, one for each of `columns`."""
        arrays = ", ".join(f"${n}::{kind}" for n, kind in enumerate(self._travelling, start=first))
        return f"{self._before}{arrays}{self._after}"

    async def write(self, session: WriteSession, rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows, each in the order of `columns`. No key may occur twice."""
        if rows:
            await session.driver().execute(self.sql, *self.arrays(rows))

    def arrays(self, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """The parameters of the statement for these rows, at least one."""
        arrays = [list(values) for values in zip(*rows, strict=True)]
        for index in self._lists:
            arrays[index] = [None if parts is None else SEPARATOR.join(parts) for parts in arrays[index]]
        return arrays


Rows = Sequence[Sequence[Any]]


async def write_together(
    session: WriteSession, writes: Sequence[tuple[Upsert, Rows]], beside: str, parameters: Sequence[Any]
) -> Any:
    """Write rows of several tables in one statement, and gives the first value that `beside` returns.

    One round trip instead of one a table. `beside` is one more writing statement, with its `parameters`. All see the
    tables as they were before. No table may come twice, as no row may be written twice in a statement.
    """
    given = [(upsert, rows) for upsert, rows in writes if rows]
    statement = _together(tuple(upsert for upsert, _ in given), beside, len(parameters))
    arrays = [array for upsert, rows in given for array in upsert.arrays(rows)]
    return await session.driver().fetchval(statement, *parameters, *arrays)


@cache
def _together(upserts: tuple[Upsert, ...], beside: str, n: int) -> str:
    parts = [f"beside as ({beside})"]
    first = n + 1
    for number, upsert in enumerate(upserts):
        parts.append(f"w{number} as ({upsert.sql_from(first)})")
        first += len(upsert.columns)
    return f"with {', '.join(parts)} select * from beside"


def _travels_as(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, (pg.ARRAY, pg.JSONB)):
        return "text"
    return kind.compile(dialect=_DIALECT)


def _arrives_as(name: str, kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, pg.ARRAY):
        return f"string_to_array({name}, e'\\x1f')::{kind.compile(dialect=_DIALECT)}"
    return f"{name}::jsonb" if isinstance(kind, pg.JSONB) else name
