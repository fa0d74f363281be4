"""Many rows of one table in one statement, whatever their number: `unnest` of one array for each column."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
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
        arrays = ", ".join(f"${n}::{_travels_as(kind)}[]" for n, kind in enumerate(kinds, start=1))
        values = ", ".join(_arrives_as(name, kind) for name, kind in zip(columns, kinds, strict=True))
        changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
        action = f"update set {changed}" if on_conflict is OnConflict.UPDATE and changed else "nothing"
        # Names come from declared tables, never from outside.
        self.sql = (
            f"insert into {table.name} ({names}) select {values} from unnest({arrays}) as t({names}) "
            f"on conflict ({', '.join(keys)}) do {action}"
        )

    async def write(self, session: WriteSession, rows: Sequence[Sequence[Any]]) -> None:
        """Write the rows, each in the order of `columns`. No key may occur twice."""
        if not rows:
            return
        arrays = [list(values) for values in zip(*rows, strict=True)]
        for index in self._lists:
            arrays[index] = [None if parts is None else SEPARATOR.join(parts) for parts in arrays[index]]
        await session.driver().execute(self.sql, *arrays)


def _travels_as(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, (pg.ARRAY, pg.JSONB)):
        return "text"
    return kind.compile(dialect=_DIALECT)


def _arrives_as(name: str, kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, pg.ARRAY):
        return f"string_to_array({name}, e'\\x1f')::{kind.compile(dialect=_DIALECT)}"
    return f"{name}::jsonb" if isinstance(kind, pg.JSONB) else name
