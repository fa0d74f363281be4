"""What every fold of a learner shares: how far the log has been read, under which parameters, and how often."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column
from osler.db.session import WriteSession
from osler.eventlog import learner_locks

learner_states = table(
    "learner_states",
    user_id_column(primary_key=True),
    column(
        "cursor_ts",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="id time of the last folded event; null before the first",
        unit="UTC",
    ),
    column("cursor_id", sa.Uuid(), nullable=True, comment="id of the last folded event"),
    column(
        "settled_as_of",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="instant that all live rows were carried forward to last",
        unit="UTC",
    ),
    column("parameter_version", sa.Text(), comment="parameters that the learner is folded under"),
    column("states", pg.JSONB(), server_default="{}", comment="small state of each analytic, by analytic"),
    column("generation", sa.BigInteger(), server_default="0", comment="rises with every fold; caches carry it"),
    column("is_stale", sa.Boolean(), server_default=sa.false(), comment="to be folded anew whatever the marks say"),
    column(
        "fold_version",
        sa.SmallInteger(),
        server_default="0",
        comment="version of the folds that made the learner's rows; an older one is folded anew",
    ),
    sa.Index("ix_learner_states_fold_version", "fold_version"),
    sa.Index("ix_learner_states_is_stale", "user_id", postgresql_where=sa.text("is_stale")),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="how far a learner's log is folded, and the small states that folds carry from event to event",
    postgresql_with={"fillfactor": 80},
)

# The rows are locked in the one order before the first is written: a fold of several learners may hold some of them.
_LOCKED = f" order by {learner_locks.ORDER.format(user_id='s.user_id')} for no key update"
# The generation tells a fold that is under way: what it has read may be from before the change.
_MADE_STALE = """
update learner_states s set is_stale = true, generation = s.generation + 1 from those where s.user_id = those.user_id
"""
_DECLARE_STALE = f"""
with those as (
  select s.user_id from learner_states s where $1::uuid[] is null or s.user_id = any($1){_LOCKED})
{_MADE_STALE}
"""
_FOLD_ANEW = f"""
with those as (
  select s.user_id from learner_states s
   where exists (select from topic_mastery t where t.user_id = s.user_id and t.topic_id = any($1::text[])){_LOCKED})
{_MADE_STALE}
"""
_FOLD_ANEW_BY_CARDS = f"""
with those as (
  select s.user_id from learner_states s
   where s.user_id = $1 and exists (select from item_memory m
     where m.user_id = $1 and m.item_kind = 'card' and m.item_id = any($2::text[])){_LOCKED})
{_MADE_STALE}
"""


async def declare_stale(session: WriteSession, user_ids: Sequence[UUID] | None) -> None:
    """Have these learners (None: everybody) folded anew: what their rows depend on beside the log has changed."""
    await session.driver().execute(_DECLARE_STALE, None if user_ids is None else list(user_ids))


async def fold_anew_who_knows(session: WriteSession, topic_ids: Collection[str]) -> None:
    """Have everybody with answers or reading on these topics folded anew: the catalogue has more of them now."""
    if topic_ids:
        await session.driver().execute(_FOLD_ANEW, sorted(topic_ids))


async def fold_anew_who_reviewed(session: WriteSession, user_id: UUID, card_ids: Sequence[str]) -> None:
    """Have a learner with reviews of any of these cards folded anew; those reviews may have left the log since."""
    if card_ids:
        await session.driver().execute(_FOLD_ANEW_BY_CARDS, user_id, list(card_ids))
