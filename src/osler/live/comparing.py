"""Compares a shadow table with the live one: whole numbers exactly, floats to 1e-12, row by row under the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose, isnan
from typing import Any, cast
from uuid import UUID

import msgspec

from osler.analytics.contract import DerivedTable
from osler.db.session import ReadSession

RELATIVE = 1e-12
ABSOLUTE = 1e-12


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

    `missing` are rows that the log says and the live table lacks; `unexpected` the other way round. PostgreSQL finds
    the rows that differ in any bit; only those are looked at with tolerance.
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
        unlike = [name for name in columns if not alike(shadow[name], live[name])]
        found.different += bool(unlike)
        for name in unlike:
            found.columns[name] = found.columns.get(name, 0) + 1


def alike(a: object, b: object) -> bool:
    """Whether two JSON values are the same, floats to 1e-12 (relative, or absolute near 0)."""
    if isinstance(a, float) or isinstance(b, float):
        return _close(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        left, right = cast("dict[str, object]", a), cast("dict[str, object]", b)
        return left.keys() == right.keys() and all(alike(value, right[key]) for key, value in left.items())
    if isinstance(a, list) and isinstance(b, list):
        ours, theirs = cast("list[object]", a), cast("list[object]", b)
        return len(ours) == len(theirs) and all(alike(x, y) for x, y in zip(ours, theirs, strict=True))
    return a == b


def _close(a: object, b: object) -> bool:
    if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
        return False
    return (isnan(a) and isnan(b)) or isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _decoded(value: Any) -> Mapping[str, Any] | None:
    """A JSONB value, which a driver gives as text unless it was told otherwise."""
    return msgspec.json.decode(value) if isinstance(value, (str, bytes)) else value
