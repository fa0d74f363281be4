"""Reads of item memories; gives domain values, never rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval.model import ItemMemory
from osler.db.session import ReadSession
from osler.science import blend, fsrs, sbd

COLUMNS = (
    "item_kind, item_id, first_at, first_local_date, first_correct, attempts, correct, fsrs_stability, "
    "fsrs_difficulty, sbd_log_stability, sbd_failures, last_rating, last_at, last_local_date, review_days, lapses, "
    "has_passed, sm2_interval_days, due_on"
)

BY_KEY = f"""
select {COLUMNS} from item_memory
 where user_id = $1 and (item_kind, item_id) in (select * from unnest($2::text[], $3::text[]))
"""

OF_TOPICS = f"""
select t.topic_id, {", ".join("m." + name.strip() for name in COLUMNS.split(","))}
  from item_topics t join item_memory m using (user_id, item_kind, item_id)
 where t.user_id = $1 and t.topic_id = any($2::text[])
 order by t.topic_id, m.item_kind, m.item_id
"""

OF_LEARNERS = f"""
select t.user_id, t.topic_id, {", ".join("m." + name.strip() for name in COLUMNS.split(","))}
  from item_topics t join item_memory m using (user_id, item_kind, item_id)
 where t.user_id = any($1::uuid[])
 order by t.user_id, t.topic_id, m.item_kind, m.item_id
"""


def memory_of(row: Any) -> tuple[ItemKey, ItemMemory]:
    """A row of item_memory as its key and value."""
    memory = ItemMemory(
        first_at=row["first_at"],
        first_local_date=row["first_local_date"],
        first_correct=row["first_correct"],
        right=row["correct"],
        wrong=row["attempts"] - row["correct"],
        state=_state_of(row),
        last_at=row["last_at"],
        last_local_date=row["last_local_date"],
        review_days=row["review_days"],
        lapses=row["lapses"],
        has_passed=row["has_passed"],
        sm2_interval_days=row["sm2_interval_days"],
        due_on=row["due_on"],
    )
    return ItemKey(row["item_kind"], row["item_id"]), memory


def _state_of(row: Any) -> blend.ItemMemory | None:
    if row["fsrs_stability"] is None:
        return None
    return blend.ItemMemory(
        fsrs.Memory(row["fsrs_stability"], row["fsrs_difficulty"]),
        sbd.Trace(row["sbd_log_stability"], row["last_rating"] - 1, row["sbd_failures"]),
    )


async def memories(session: ReadSession, user_id: UUID, keys: Sequence[ItemKey]) -> dict[ItemKey, ItemMemory]:
    """The learner's memories of these items, where there are any."""
    rows = await session.driver().fetch(BY_KEY, user_id, [k.kind for k in keys], [k.item_id for k in keys])
    return dict(memory_of(row) for row in rows)


TopicItems = dict[str, list[tuple[ItemKey, ItemMemory]]]


async def items_of_topics(session: ReadSession, user_id: UUID, topic_ids: Sequence[str]) -> TopicItems:
    """The learner's items of these topics, each topic's in the order of their keys."""
    found: TopicItems = {}
    for row in await session.driver().fetch(OF_TOPICS, user_id, list(topic_ids)):
        found.setdefault(row["topic_id"], []).append(memory_of(row))
    return found


async def items_of_learners(session: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, TopicItems]:
    """All items of these learners by topic, in the order of their keys."""
    found: dict[UUID, TopicItems] = {}
    for row in await session.driver().fetch(OF_LEARNERS, list(user_ids)):
        found.setdefault(row["user_id"], {}).setdefault(row["topic_id"], []).append(memory_of(row))
    return found
