"""The bank of questions and materials, as the application that shows them keeps it: rows are added or changed.

Whoever calls has to mark the learners whose answers or reading the changed rows touch, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.catalog.items import note_change
from osler.catalog.tables import materials, questions, topics
from osler.db.engine import WriteSession
from osler.errors import InvalidInput

MOST_ROWS = 1_000

QUESTION_FIELDS = ("key", "option_count", "topic_ids", "source")
MATERIAL_FIELDS = ("kind", "topic_ids", "expected_minutes", "is_required", "title")


@dataclass(frozen=True, slots=True)
class Put:
    """What a call did, by id."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    n_same: int


async def put_questions(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> Put:
    """Add or change questions; each row has `question_id` and `QUESTION_FIELDS`, lists sorted.

    A key that differs from the stored one gets the next version, so that answers graded before can be told.
    Errors: InvalidInput when a topic is not there or an id stands twice.
    """
    before = await _before(session, questions, rows)
    await _topics_are_there(session, rows)
    put = _compared(before, rows, questions, QUESTION_FIELDS)
    versioned = [{**row, "key_version": _version(before.get(row["question_id"]), row["key"])} for row in rows]
    await _write(session, questions, versioned, (*QUESTION_FIELDS, "key_version"), put)
    return put


def _version(before: Mapping[str, Any] | None, key: list[str] | None) -> int:
    if before is None:
        return 1
    return int(before["key_version"]) + (_value(before, "key") != key)


async def put_materials(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> Put:
    """Add or change materials; each row has `material_id` and `MATERIAL_FIELDS`, lists sorted.

    Errors: InvalidInput when a topic is not there or an id stands twice.
    """
    before = await _before(session, materials, rows)
    await _topics_are_there(session, rows)
    put = _compared(before, rows, materials, MATERIAL_FIELDS)
    await _write(session, materials, rows, MATERIAL_FIELDS, put)
    return put


async def _before(session: WriteSession, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The stored rows by id, held until the end of the transaction."""
    (key,) = table.primary_key.columns
    ids = [row[key.name] for row in rows]
    if len(set(ids)) < len(ids):
        raise InvalidInput("An id stands twice.", code="catalogue.id_twice")
    found = await session.rows(sa.select(table).where(key.in_(ids)).order_by(key).with_for_update())
    return {row[key.name]: row for row in found}


async def _topics_are_there(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    named = {topic for row in rows for topic in row["topic_ids"]}
    found = await session.tuples(sa.select(topics.c.topic_id).where(topics.c.topic_id.in_(sorted(named))))
    missing = named - {row[0] for row in found}
    if missing:
        raise InvalidInput(
            f"There is no topic {min(missing)}.", code="catalogue.no_topic", params={"topic_id": min(missing)}
        )


def _compared(
    before: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], table: sa.Table, fields: Sequence[str]
) -> Put:
    (key,) = (column.name for column in table.primary_key.columns)
    new = tuple(row[key] for row in rows if row[key] not in before)
    changed = tuple(
        row[key]
        for row in rows
        if row[key] in before and any(_value(before[row[key]], name) != row[name] for name in fields)
    )
    return Put(new, changed, len(rows) - len(new) - len(changed))


def _value(row: Mapping[str, Any], name: str) -> Any:  # Any: what a column holds, arrays as lists
    found: Any = row.get(name)
    return [*found] if isinstance(found, (list, tuple)) else found


async def _write(
    session: WriteSession,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    fields: Sequence[str],
    put: Put,
) -> None:
    (key,) = (column.name for column in table.primary_key.columns)
    touched = {*put.new, *put.changed}
    written = [{key: row[key], **{name: row[name] for name in fields}} for row in rows if row[key] in touched]
    if not written:
        return
    insert = pg.insert(table)
    changes = {name: insert.excluded[name] for name in fields}
    await session.execute(insert.on_conflict_do_update(index_elements=[key], set_=changes), written)
    await note_change(session, table.name)
