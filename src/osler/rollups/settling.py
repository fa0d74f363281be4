"""Carries every learner's live rows forward to an instant: what fades and widens without any event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.contract import Analytic, Moments
from osler.db.session import ReadSession, WriteSession
from osler.eventlog import learner_locks
from osler.forecasts.parameters import ParameterStore

LEARNERS_AT_ONCE = 50

_NEXT = "select user_id from learner_states where user_id > $1 and cursor_ts is not null order by user_id limit $2"

# Who declares learners stale holds none of them: their rows are locked before the first is written, in the one order.
_LOCK_ROWS = f"""
select from learner_states s where s.user_id = any($1::uuid[])
 order by {learner_locks.ORDER.format(user_id="s.user_id")} for no key update
"""
_STATES = """
select user_id, parameter_version, greatest(cursor_ts, $2) as as_of from learner_states
 where user_id = any($1::uuid[]) and cursor_ts is not null order by user_id
"""
_SETTLED = """
update learner_states s set settled_as_of = t.as_of, generation = s.generation + 1
  from unnest($1::uuid[], $2::timestamptz[]) as t(user_id, as_of) where s.user_id = t.user_id
"""


async def next_learners(session: ReadSession, after: UUID, limit: int = LEARNERS_AT_ONCE) -> list[UUID]:
    """The next learners with folded events, in the order of their ids."""
    rows: Any = await session.driver().fetch(_NEXT, after, limit)
    return [row["user_id"] for row in rows]


async def settle(
    session: WriteSession, analytics: Sequence[Analytic], user_ids: Sequence[UUID], as_of: datetime
) -> int:
    """Carry these learners' rows to `as_of`, or to their last event where that is later; gives how many."""
    await learner_locks.hold(session.driver(), user_ids)
    await session.driver().execute(_LOCK_ROWS, list(user_ids))
    moments = await moments_of(session, user_ids, as_of)
    store = ParameterStore()
    for version, part in moments.items():
        parameters = await store.get(session, version)
        for analytic in analytics:
            if analytic.live is not None:
                await analytic.live.settle(session, part, parameters)
        await session.driver().execute(_SETTLED, list(part.user_ids), list(part.as_of))
    return sum(len(part.user_ids) for part in moments.values())


async def moments_of(session: ReadSession, user_ids: Sequence[UUID], as_of: datetime) -> dict[str, Moments]:
    """By parameter version: the learners, each with the later of `as_of` and the last folded event."""
    rows: Any = await session.driver().fetch(_STATES, list(user_ids), as_of)
    found: dict[str, tuple[list[UUID], list[datetime]]] = {}
    for row in rows:
        users, instants = found.setdefault(row["parameter_version"], ([], []))
        users.append(row["user_id"])
        instants.append(row["as_of"])
    return {version: Moments(users, instants) for version, (users, instants) in found.items()}
