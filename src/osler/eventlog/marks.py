"""What a consumer has still to look at. Marks are appended with the events and never merged.

A consumer reads the marks it sees, recounts or folds what they cover in the same snapshot, and deletes exactly those.
A mark that a later append leaves in between is another row, so that nothing is deleted unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from osler.db.engine import ReadSession, WriteSession
from osler.eventlog.tables import dirty_days

LIVE = "live"
ROLLUP = "rollup"
CONSUMERS = (LIVE, ROLLUP)


@dataclass(frozen=True, slots=True)
class Mark:
    """New events of a learner on one study day, left by one append."""

    user_id: UUID
    consumer: str
    local_date: date
    batch_id: UUID
    n_events: int
    min_event_ts: datetime


_FIELDS = (
    dirty_days.c.user_id, dirty_days.c.consumer, dirty_days.c.local_date, dirty_days.c.batch_id,
    dirty_days.c.n_events, dirty_days.c.min_event_ts,
)  # fmt: skip


# On the way of every submit: straight to the driver, which costs a third of the statement built anew.
_TAKE = (
    "select user_id, consumer, local_date, batch_id, n_events, min_event_ts from dirty_days "
    "where user_id = $1 and consumer = $2"
)


async def take(s: ReadSession, user_id: UUID, consumer: str) -> list[Mark]:
    """The marks of a learner that this transaction sees; nothing is locked or deleted."""
    return [Mark(*row) for row in await s.driver().fetch(_TAKE, user_id, consumer)]


def take_live(condition: str = "true") -> str:
    """The same, deleted as they are taken: a part of the statement that reads what they announce."""
    return f"delete from dirty_days where user_id = $1 and consumer = '{LIVE}' and {condition} returning min_event_ts"


async def take_all(s: ReadSession, consumer: str, limit: int | None = None) -> list[Mark]:
    """The oldest marks of every learner, for consumers that work in sets."""
    query = sa.select(*_FIELDS).where(dirty_days.c.consumer == consumer).order_by(dirty_days.c.marked_at).limit(limit)
    return [Mark(*row) for row in await s.tuples(query, name="marks_take_all")]


_DELETE = (
    "with gone as (delete from dirty_days d using unnest($1::uuid[], $2::date[], $3::uuid[]) as t(u, day, b) "
    "where d.user_id = t.u and d.consumer = $4 and d.local_date = t.day and d.batch_id = t.b returning 1) "
    "select count(*) from gone"
)


async def delete(s: WriteSession, marks: Sequence[Mark]) -> int:
    """Delete exactly these marks, all of one consumer; how many were still there."""
    if not marks:
        return 0
    gone: int = await s.driver().fetchval(
        _DELETE,
        [mark.user_id for mark in marks],
        [mark.local_date for mark in marks],
        [mark.batch_id for mark in marks],
        marks[0].consumer,
    )
    return gone


async def learners(s: ReadSession, consumer: str, limit: int = 1000) -> list[UUID]:
    """Learners with marks, those who wait longest first."""
    query = (
        sa.select(dirty_days.c.user_id)
        .where(dirty_days.c.consumer == consumer)
        .group_by(dirty_days.c.user_id)
        .order_by(sa.func.min(dirty_days.c.marked_at))
        .limit(limit)
    )
    return [row[0] for row in await s.tuples(query, name="marks_learners")]


async def any_of(s: ReadSession, user_ids: Sequence[UUID]) -> bool:
    """Whether a consumer has marks of any of these learners."""
    query = sa.select(sa.exists().where(dirty_days.c.user_id.in_(user_ids)))
    return bool(await s.scalar(query, name="marks_any_of"))


async def backlog(s: ReadSession, consumer: str) -> int:
    """Events stored that the consumer has not taken: the sum over its marks."""
    query = sa.select(sa.func.coalesce(sa.func.sum(dirty_days.c.n_events), 0)).where(dirty_days.c.consumer == consumer)
    return int(await s.scalar(query, name="marks_backlog"))


_TOUCHED_CARDS = sa.text(
    "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
    "select a.user_id, c, a.local_date, gen_random_uuid(), count(*), min(a.event_ts) from question_attempts a, "
    "unnest(array['live', 'rollup']) c where a.user_id = :user_id and a.card_id = any(cast(:cards as text[])) "
    "group by 1, 2, 3"
)


async def mark_cards(s: WriteSession, user_id: UUID, card_ids: Sequence[str]) -> int:
    """Mark a learner's study days with a review of these cards: they have moved to other topics."""
    if not card_ids:
        return 0
    values = {"user_id": user_id, "cards": list(card_ids)}
    return (await s.execute(_TOUCHED_CARDS, values, name="marks_cards")).rowcount


# Of questions the answers count, of materials the reading. Neither has an index by item: the catalogue changes seldom.
_TOUCHED_ITEMS = sa.text(
    "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
    "select t.user_id, c, t.local_date, gen_random_uuid(), count(*), min(t.event_ts) from ("
    "select user_id, local_date, event_ts from question_attempts where question_id = any(cast(:questions as text[])) "
    "union all select user_id, local_date, event_ts from material_interactions "
    "where material_id = any(cast(:materials as text[]))) t, unnest(array['live', 'rollup']) c group by 1, 2, 3"
)


async def mark_items(s: WriteSession, *, questions: Sequence[str] = (), materials: Sequence[str] = ()) -> int:
    """Mark every study day of anybody with an answer to these questions or reading of these materials."""
    if not questions and not materials:
        return 0
    values = {"questions": list(questions), "materials": list(materials)}
    return (await s.execute(_TOUCHED_ITEMS, values, name="marks_items")).rowcount


_TOUCHED_ALL = sa.text(
    "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
    "select a.user_id, c, a.local_date, gen_random_uuid(), count(*), min(a.event_ts) from question_attempts a, "
    "unnest(array['live', 'rollup']) c group by 1, 2, 3"
)


async def mark_everybody(s: WriteSession) -> int:
    """Mark every study day with an answer or a review: the curriculum has changed."""
    return (await s.execute(_TOUCHED_ALL, name="marks_everybody")).rowcount


# Days that the log may no longer reach whole stay as they were counted: an event's local day lies within two days of
# its id's time, and what lay before the last checkpoint may be gone.
_TOUCHED_LEARNER = (
    "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
    "select e.user_id, $2, e.local_date, gen_random_uuid(), count(*), min(e.event_ts) from study_events e "
    "where e.user_id = $1 and e.local_date > coalesce((select (max(c.event_ts) at time zone 'UTC')::date + 2 "
    "from state_checkpoints c where c.user_id = $1), '-infinity') group by e.user_id, e.local_date"
)


async def mark_learner(s: WriteSession, user_id: UUID) -> None:
    """Mark every study day of a learner that the log holds whole for the counts of the night."""
    await s.driver().execute(_TOUCHED_LEARNER, user_id, ROLLUP)
