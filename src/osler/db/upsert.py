"""Rows of one table in one statement: a few as `values`, more of them by `unnest` of one array for each column."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import cache
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.session import WriteSession

# Arrays of arrays must be rectangular in PostgreSQL, so a list travels as text with this between its parts.
SEPARATOR = "\x1f"

# `unnest` of 46 columns costs PostgreSQL .2 ms before the first row, as each is a set of its own; many rows in `values`
# would make a statement, and a plan, for each number of rows.
FEW_ROWS = 4

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
        self._kinds = kinds
        self._travelling = [_travels_as(kind) for kind in kinds]
        values = ", ".join(_arrives_as(name, kind) for name, kind in zip(columns, kinds, strict=True))
        changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
        action = f"update set {changed}" if on_conflict is OnConflict.UPDATE and changed else "nothing"
        # Names come from declared tables, never from outside.
        self._insert = f"insert into {table.name} ({names})"
        self._unnested = f"as t({names})", f"select {values}"
        self._on_conflict = f"on conflict ({', '.join(keys)}) do {action}"

    def sql(self, rows: int, first: int = 1) -> str:
        """The statement for so many rows, with its parameters numbered from `first` on."""
        return f"{self._insert} {self._few(rows, first) if rows <= FEW_ROWS else self._many(first)} {self._on_conflict}"

    def _few(self, rows: int, first: int) -> str:
        number = count(first)
        each = [
            ", ".join(_arrives_as(f"${next(number)}::{_travels_as(kind)}", kind) for kind in self._kinds)
            for _ in range(rows)
        ]
        return f"values ({'), ('.join(each)})"

    def _many(self, first: int) -> str:
        arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(self._travelling, start=first))
        named, selected = self._unnested
        return f"{selected} from unnest({arrays}) {named}"

    async def write(self, session: WriteSession, rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows, each in the order of `columns`. No key may occur twice."""
        if rows:
            await session.driver().execute(self.sql(len(rows)), *self.parameters(rows))

    def parameters(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """The parameters of the statement for these rows, at least one."""
        if len(rows) <= FEW_ROWS:
            return [value for row in rows for value in self._joined(row)]
        arrays = [list(values) for values in zip(*rows, strict=True)]
        for index in self._lists:
            arrays[index] = [None if parts is None else SEPARATOR.join(parts) for parts in arrays[index]]
        return arrays

    def _joined(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._lists:
            return row
        joined = list(row)
        for index in self._lists:
            joined[index] = None if row[index] is None else SEPARATOR.join(row[index])
        return joined


Rows = Sequence[Sequence[Any]]


async def write_together(
    session: WriteSession, writes: Sequence[tuple[Upsert, Rows]], beside: str, parameters: Sequence[Any]
) -> Any:
    """Write rows of several tables in one statement, and gives the first value that `beside` returns.

    One round trip instead of one a table. `beside` is one more writing statement, with its `parameters`. All see the
    tables as they were before. No table may come twice, as no row may be written twice in a statement.
    """
    given = [(upsert, rows) for upsert, rows in writes if rows]
    shapes = tuple((upsert, min(len(rows), FEW_ROWS + 1)) for upsert, rows in given)
    values = [value for upsert, rows in given for value in upsert.parameters(rows)]
    return await session.driver().fetchval(_together(shapes, beside, len(parameters)), *parameters, *values)


@cache
def _together(shapes: tuple[tuple[Upsert, int], ...], beside: str, n: int) -> str:
    parts = [f"beside as ({beside})"]
    first = n + 1
    for number, (upsert, rows) in enumerate(shapes):
        parts.append(f"w{number} as ({upsert.sql(rows, first)})")
        first += len(upsert.columns) * (rows if rows <= FEW_ROWS else 1)
    return f"with {', '.join(parts)} select * from beside"


def _travels_as(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, (pg.ARRAY, pg.JSONB)):
        return "text"
    return kind.compile(dialect=_DIALECT)


def _arrives_as(name: str, kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, pg.ARRAY):
        return f"string_to_array({name}, e'\\x1f')::{kind.compile(dialect=_DIALECT)}"
    return f"{name}::jsonb" if isinstance(kind, pg.JSONB) else name
