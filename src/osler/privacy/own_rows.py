"""What is stored of a learner besides the events, and what of the catalogue they name, read in slices by key."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.catalog.carried import OWN, SETTINGS
from osler.catalog.tables import materials, questions, users
from osler.db.engine import Database
from osler.db.schema import Erase, erase_of, metadata
from osler.forecasts.parameters import CURRENT, NEXT_ANSWER

SLICE = 2_000
NOT_EXPORTED = frozenset(
    {
        "study_events", "question_attempts", "material_interactions", "dirty_days", "state_checkpoints", "stale_days",
        "export_links",
    }
)  # fmt: skip
"""The events themselves, which are exported as such; their typed bodies, which they hold; and machinery."""

KEY = "key"
"""The column of right answers: for the installation's owner alone, or an export would be the answers to a bank."""

_NAMED = sa.text("select distinct data->>:field from study_events where user_id = :user_id and data ? :field")


def own_tables() -> list[sa.Table]:
    """Every declared table with rows of a learner's own: what was entered first, then what was derived."""
    names = [
        name
        for name, table in sorted(metadata.tables.items())
        if erase_of(table) is Erase.DELETE and name not in NOT_EXPORTED
    ]
    first = [SETTINGS, *OWN]
    return [metadata.tables[name] for name in (*first, *(name for name in names if name not in first))]


def columns_of(table: sa.Table, *, with_keys: bool) -> list[sa.Column[Any]]:
    """The columns of a table that are exported."""
    return [column for column in table.columns if with_keys or table is not questions or column.name != KEY]


async def own_rows(db: Database, table: sa.Table, user_id: UUID) -> AsyncGenerator[list[dict[str, Any]]]:
    """The learner's rows of a table, in slices, in the order of its key."""
    async for rows in _slices(db, table, list(table.columns), user_id, table.c.user_id == user_id):
        yield rows


async def catalogue_rows(
    db: Database, table: sa.Table, user_id: UUID | None, *, with_keys: bool
) -> AsyncGenerator[list[dict[str, Any]]]:
    """The rows of a table of the catalogue: all, or those that the learner's events name."""
    where = sa.true() if user_id is None else await _that_are_named(db, table, user_id)
    async for rows in _slices(db, table, columns_of(table, with_keys=with_keys), user_id, where):
        yield rows


async def _that_are_named(db: Database, table: sa.Table, user_id: UUID) -> sa.ColumnElement[bool]:
    field = {questions.name: "question_id", materials.name: "material_id"}.get(table.name)
    if field is None:
        return sa.true()
    async with db.read(user_id=user_id, primary=True) as session:
        named = [row[0] for row in await session.tuples(_NAMED, {"field": field, "user_id": user_id})]
    return table.c[field] == sa.any_(sa.literal(named, sa.ARRAY(sa.Text)))


async def _slices(
    db: Database, table: sa.Table, columns: list[sa.Column[Any]], user_id: UUID | None, where: sa.ColumnElement[bool]
) -> AsyncGenerator[list[dict[str, Any]]]:
    """Each slice is a short transaction of its own: a slow reader holds nothing open."""
    keys = list(table.primary_key.columns)
    chosen = sa.select(*columns).where(where).order_by(*keys).limit(SLICE)
    after: tuple[Any, ...] | None = None
    while True:
        query = chosen if after is None else chosen.where(sa.tuple_(*keys) > sa.tuple_(*after, types=_types(keys)))
        async with db.read(user_id=user_id, primary=True) as session:
            rows = [dict(row) for row in await session.rows(query)]
        if rows:
            yield rows
        if len(rows) < SLICE:
            return
        after = tuple(rows[-1][key.name] for key in keys)


def _types(keys: list[sa.Column[Any]]) -> list[Any]:
    return [key.type for key in keys]


async def parameter_rows(db: Database) -> list[dict[str, Any]]:
    """The parameters that learners are folded under now, with the fits that they are made of; none at the start.

    Without the model of the next answer: it is a file that is signed with this installation's key.
    """
    made_of = f"select p.value from models m, jsonb_each_text(m.content) p where m.version = {CURRENT}"
    chosen = (
        f"select to_jsonb(m)::text as row from models m where m.version = {CURRENT} "
        f"or (m.version in ({made_of}) and m.task <> $1)"
    )
    async with db.read(primary=True) as session:
        rows = await session.driver().fetch(chosen, NEXT_ANSWER)
    return [msgspec.json.decode(row["row"]) for row in rows]


async def learners(db: Database) -> AsyncGenerator[UUID]:
    """Every learner, in the order of their pseudonyms."""
    async for rows in _slices(db, users, [users.c.user_id], None, sa.true()):
        for row in rows:
            yield row["user_id"]
