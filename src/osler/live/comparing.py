"""Compares a shadow table with the live one, row by row under the key, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import DerivedTable
from osler.db.session import ReadSession


@dataclass(slots=True)
class TableDifference:
    """What a comparison found. `columns` counts differences by name, never a value: a report may leave the machine."""

    rows: int = 0
    missing: int = 0
    unexpected: int = 0
    different: int = 0
    columns: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def equal(self) -> bool:
        """Whether there was no difference."""
        return not (self.missing or self.unexpected or self.different)

    def add(self, other: TableDifference) -> None:
        """Add what was found for more learners."""
        self.rows += other.rows
        self.missing += other.missing
        self.unexpected += other.unexpected
        self.different += other.different
        for column, count in other.columns.items():
            self.columns[column] = self.columns.get(column, 0) + count


async def compare(session: ReadSession, derived: DerivedTable, user_ids: Sequence[UUID]) -> TableDifference:
    """The learners' rows of the shadow (temporary) table against those of the live one.

    `missing` are rows that the log says and the live table lacks; `unexpected` the other way round. Nothing is let
    pass: folds are in order, counts are whole numbers, and what sums floats does so in an order of its own.
    """
    table = derived.table
    keys = [column.name for column in table.primary_key.columns]
    columns = [c.name for c in table.columns if c.name not in derived.ignore and c.name not in keys]
    on = " and ".join(f"a.{key} = b.{key}" for key in keys)
    first, second = (", ".join(f"{side}.{name}" for name in columns) or "1" for side in "ab")
    rows: Any = await session.driver().fetch(
        f"select to_jsonb(a) as shadow, to_jsonb(b) as live, count(*) over () as n "
        f"from pg_temp.{table.name} a full join (select * from public.{table.name} where user_id = any($1::uuid[])) b "
        f"on {on} where a.user_id is null or b.user_id is null or ({first}) is distinct from ({second})",
        list(user_ids),
    )
    total: Any = await session.driver().fetchval(f"select count(*) from pg_temp.{table.name}")
    found = TableDifference(rows=total)
    for row in rows:
        _count(found, _decoded(row["shadow"]), _decoded(row["live"]), columns)
    return found


def _count(
    found: TableDifference, shadow: Mapping[str, Any] | None, live: Mapping[str, Any] | None, columns: Sequence[str]
) -> None:
    if shadow is None:
        found.unexpected += 1
    elif live is None:
        found.missing += 1
    else:
        found.different += 1
        for name in columns:
            if shadow[name] != live[name]:
                found.columns[name] = found.columns.get(name, 0) + 1


def _decoded(value: Any) -> Mapping[str, Any] | None:
    """A JSONB value, which a driver gives as text unless it was told otherwise."""
    return msgspec.json.decode(value) if isinstance(value, (str, bytes)) else value
