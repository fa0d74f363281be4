"""Reads of item memories; gives domain values, never rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from osler.analytics.contract import ItemKey
from osler.analytics.retrieval.model import ItemMemory, OwnMemory
from osler.db.session import ReadSession
from osler.science import blend, fsrs, sbd
from osler.science.guard import Guard

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


_OWN = """
select user_id, version, fsrs, sbd, fitted_ts, fitted_id, guard_passed, guard_n, guard_advantage
  from memory_parameters where user_id = any($1::uuid[])
"""


async def own_memories(session: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, OwnMemory]:
    """The parameters fitted to these learners last; learners without a fit are left out."""
    return {
        row["user_id"]: OwnMemory(
            row["version"], tuple(row["fsrs"]), tuple(row["sbd"]), row["fitted_ts"], row["fitted_id"],
            Guard(row["guard_passed"], row["guard_n"], row["guard_advantage"]),
        )
        for row in await session.driver().fetch(_OWN, list(user_ids))
    }  # fmt: skip


async def parameters_of(session: ReadSession, user_id: UUID) -> blend.Parameters:
    """How a learner forgets: as fitted last, else as the population does."""
    own = (await own_memories(session, [user_id])).get(user_id)
    return blend.POPULATION if own is None else own.parameters()


def memory_of(row: Any, parameters: blend.Parameters) -> tuple[ItemKey, ItemMemory]:
    """A row of item_memory as its key and value; `parameters` are its learner's."""
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
        parameters=parameters,
    )
    return ItemKey(row["item_kind"], row["item_id"]), memory


def _state_of(row: Any) -> blend.ItemMemory | None:
    if row["fsrs_stability"] is None:
        return None
    return blend.ItemMemory(
        fsrs.Memory(row["fsrs_stability"], row["fsrs_difficulty"]),
        sbd.Trace(row["sbd_log_stability"], row["last_rating"] - 1, row["sbd_failures"]),
    )


async def memories(
    session: ReadSession, user_id: UUID, keys: Sequence[ItemKey], parameters: blend.Parameters
) -> dict[ItemKey, ItemMemory]:
    """The learner's memories of these items, where there are any; `parameters` are the learner's."""
    rows = await session.driver().fetch(BY_KEY, user_id, [k.kind for k in keys], [k.item_id for k in keys])
    return dict(memory_of(row, parameters) for row in rows)


TopicItems = dict[str, list[tuple[ItemKey, ItemMemory]]]


async def items_of_topics(
    session: ReadSession, user_id: UUID, topic_ids: Sequence[str], parameters: blend.Parameters
) -> TopicItems:
    """The learner's items of these topics, each topic's in the order of their keys; `parameters` are the learner's."""
    found: TopicItems = {}
    for row in await session.driver().fetch(OF_TOPICS, user_id, list(topic_ids)):
        found.setdefault(row["topic_id"], []).append(memory_of(row, parameters))
    return found


async def items_of_learners(
    session: ReadSession, parameters: Mapping[UUID, blend.Parameters]
) -> dict[UUID, TopicItems]:
    """All items of these learners by topic, in the order of their keys; each learner comes with their parameters."""
    found: dict[UUID, TopicItems] = {}
    for row in await session.driver().fetch(OF_LEARNERS, list(parameters)):
        items = found.setdefault(row["user_id"], {}).setdefault(row["topic_id"], [])
        items.append(memory_of(row, parameters[row["user_id"]]))
    return found
