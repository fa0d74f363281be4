"""Questions, materials, cards and own topics that an import or the simulator brings: unknown ones become rows first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.catalog.tables import catalog_versions, exams, materials, questions, topics
from osler.db.engine import WriteSession

CHUNK = 5_000
_MAP_CARDS = """
insert into cards (user_id, card_id, topic_ids, mapped_by)
select user_id, card_id, topic_ids, mapped_by from json_populate_recordset(null::cards, $1::json)
    on conflict (user_id, card_id) do update set topic_ids = excluded.topic_ids, mapped_by = excluded.mapped_by
 where cards.topic_ids is distinct from excluded.topic_ids
returning card_id
"""
_TELL_SUSPENDED = """
update cards c set is_suspended = t.is_suspended
  from unnest($2::text[], $3::boolean[]) as t(card_id, is_suspended)
 where c.user_id = $1 and c.card_id = t.card_id and c.is_suspended <> t.is_suspended
returning c.card_id
"""
_ADD_SUSPENDED = """
insert into cards (user_id, card_id, is_suspended) select $1, t.card_id, true from unnest($2::text[]) t(card_id)
    on conflict do nothing
returning card_id
"""


async def add_topics(session: WriteSession, names: Mapping[str, str], *, source: str) -> int:
    """Topics that are not there yet, parents first; their weight is unknown. Gives how many were new."""
    rows = [
        {
            "topic_id": topic_id,
            "parent_id": topic_id.rpartition(".")[0] or None,
            "name": name,
            "level": topic_id.count("."),
            "axis": "own",
            "source": source,
        }
        for topic_id, name in sorted(names.items(), key=lambda item: item[0].count("."))
    ]
    return await insert_rows(session, topics, rows)


async def add_questions(
    session: WriteSession,
    found: Mapping[str, Sequence[str]],
    *,
    source: str,
    keys: Mapping[str, Sequence[str]] | None = None,
    option_count: int | None = None,
) -> int:
    """Questions that are not there yet; without a key they are graded by whoever sends the answer."""
    known = keys or {}
    rows = [
        {
            "question_id": question_id,
            "topic_ids": sorted(topic_ids),
            "source": source,
            "key": sorted(known[question_id]) if question_id in known else None,
            "option_count": option_count,
        }
        for question_id, topic_ids in sorted(found.items())
    ]
    return await insert_rows(session, questions, rows)


async def add_materials(session: WriteSession, found: Mapping[str, tuple[str, Sequence[str], float | None]]) -> int:
    """Materials that are not there yet: kind, topics, expected minutes."""
    rows = [
        {"material_id": material_id, "kind": kind, "topic_ids": sorted(topic_ids), "expected_minutes": minutes}
        for material_id, (kind, topic_ids, minutes) in sorted(found.items())
    ]
    return await insert_rows(session, materials, rows)


async def add_exams(session: WriteSession, names: Mapping[str, str], *, source: str) -> int:
    """Exams that are not there yet, without blueprint or pass mark."""
    rows = [
        {"exam_id": exam_id, "name": name, "question_count": 1, "source": source}
        for exam_id, name in sorted(names.items())
    ]
    return await insert_rows(session, exams, rows)


async def map_cards(
    session: WriteSession, user_id: UUID, found: Mapping[str, Sequence[str]], *, mapped_by: str | None
) -> list[str]:
    """Put a learner's cards under their topics. Gives the cards that were new or have moved."""
    moved: list[str] = []
    rows = [
        {"user_id": str(user_id), "card_id": card_id, "topic_ids": sorted(topic_ids), "mapped_by": mapped_by}
        for card_id, topic_ids in sorted(found.items())
    ]
    for chunk in _chunks(rows):
        answer: Any = await session.driver().fetch(_MAP_CARDS, msgspec.json.encode(chunk).decode())
        moved += [row["card_id"] for row in answer]
    return moved


async def tell_suspended(
    session: WriteSession, user_id: UUID, card_ids: Sequence[str], suspended: Sequence[str]
) -> list[str]:
    """Note which of a learner's cards are taken out of review. Gives the cards of which that is new.

    `suspended` may name cards that are not known yet: they become rows without a topic. All others of `card_ids` are in
    review; of cards that neither names nothing is changed.
    """
    driver = session.driver()
    told = dict.fromkeys(card_ids, False) | dict.fromkeys(suspended, True)
    changed: Any = await driver.fetch(_TELL_SUSPENDED, user_id, list(told), list(told.values()))
    unknown: Any = await driver.fetch(_ADD_SUSPENDED, user_id, list(suspended))
    return [row["card_id"] for row in (*changed, *unknown)]


async def note_change(session: WriteSession, what: str) -> None:
    """The catalogue has changed: its version, which is part of every parameter version, goes up."""
    await session.execute(sa.insert(catalog_versions).values(what=what))


async def insert_rows(session: WriteSession, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows that are not there yet, all with the same columns; how many were new."""
    # As one JSON text a chunk: building a statement of 5,000 rows took longer than running it.
    new = 0
    for chunk in _chunks(rows):
        columns = ", ".join(chunk[0])
        statement = (
            f"with new as (insert into {table.name} ({columns}) select {columns} "
            f"from json_populate_recordset(null::{table.name}, $1::json) on conflict do nothing returning 1) "
            "select count(*) from new"
        )
        new += int(await session.driver().fetchval(statement, msgspec.json.encode(chunk).decode()))
    return new


def _chunks(rows: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[Mapping[str, Any]]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
