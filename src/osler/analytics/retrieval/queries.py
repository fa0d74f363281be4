"""Reads of item memories; gives domain values, never rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from osler.analytics.contract import ItemKey, Reading
from osler.analytics.retrieval.model import ItemMemory, OwnMemory
from osler.db.session import ReadSession
from osler.science import blend, fsrs, sbd
from osler.science.guard import Guard

COLUMNS = (
    "item_kind, item_id, first_at, first_local_date, first_correct, attempts, correct, fsrs_stability, "
    "fsrs_difficulty, sbd_log_stability, sbd_failures, last_rating, last_at, last_local_date, review_days, lapses, "
    "has_passed, sm2_interval_days, due_on"
)


class ItemRow(TypedDict):
    """A row of item_memory, its columns as `COLUMNS` names them."""

    item_kind: str
    item_id: str
    first_at: datetime
    first_local_date: date
    first_correct: bool | None
    attempts: int
    correct: int
    fsrs_stability: float | None
    fsrs_difficulty: float | None
    sbd_log_stability: float | None
    sbd_failures: float | None
    last_rating: int | None
    last_at: datetime | None
    last_local_date: date | None
    review_days: int
    lapses: int
    has_passed: bool
    sm2_interval_days: int
    due_on: date | None


class TopicItemRow(ItemRow):
    """The same, for one of the item's topics."""

    topic_id: str


# What a fold has to know of the items that it is about to fold, and of all items of their topics.
ASKED = Reading(
    f"""
(select json_agg(r) from (
   select {COLUMNS} from item_memory where user_id = $1 and item_kind = 'question'
      and item_id = any((select questions from asked)::text[]) union all
   select {COLUMNS} from item_memory where user_id = $1 and item_kind = 'card'
      and item_id = any((select cards from asked)::text[])) r)
""",
    list[ItemRow],
)
OF_ASKED_TOPICS = Reading(
    f"""
(select json_agg(r order by topic_id, item_kind, item_id) from (
   select t.topic_id, {", ".join("m." + name.strip() for name in COLUMNS.split(","))}
     from item_topics t join item_memory m using (user_id, item_kind, item_id)
    where t.user_id = $1 and t.topic_id = any((select topic_ids from asked_topics)::text[])) r)
""",
    list[TopicItemRow],
)

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


TopicItems = dict[str, list[tuple[ItemKey, ItemMemory]]]


async def items_of_topics(
    session: ReadSession, user_id: UUID, topic_ids: Sequence[str], parameters: blend.Parameters
) -> TopicItems:
    """The learner's items of these topics, each topic's in the order of their keys; `parameters` are the learner's."""
    return by_topic(await session.driver().fetch(OF_TOPICS, user_id, list(topic_ids)), parameters)


def by_topic(rows: Iterable[Any], parameters: blend.Parameters) -> TopicItems:
    """Items by topic from rows that have both; `parameters` are their learner's."""
    found: TopicItems = {}
    for row in rows:
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
