"""The row that says how far a learner is folded, read and written under the learner's lock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import LearnerSettings
from osler.db.session import ReadSession
from osler.domain.events import Cursor
from osler.errors import Unavailable

FOLD_VERSION = 5
"""Which version of the folds this is, and of the counts beside them. It rises with every change after which the same
log gives other rows or states of another shape: whoever was folded by an older one is then folded and counted anew.
`tests/live/test_old_home.py` says when."""

READ = f"""
select s.cursor_ts, s.cursor_id, s.settled_as_of, s.parameter_version, s.states::text as states, s.generation,
       coalesce(s.is_stale or s.fold_version < {FOLD_VERSION}, false) as is_stale, s.fold_version,
       coalesce(u.desired_retention, 0.9) as desired_retention,
       current_database()::text as database, v.version, v.changed_at
  from (select $1::uuid as user_id) as l
  left join learner_states s on s.user_id = l.user_id
  left join users u on u.user_id = l.user_id
  left join lateral (select version, changed_at from catalog_versions order by version desc limit 1) v on true
"""

# Microseconds since 1970 and not a count from 1, so that a fold that a crash took back does not leave its number to
# another one: what a process holds of a learner goes by it (osler.live.held).
_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"

# Gives the new generation. Who was declared stale since the row was read ($7 is the generation of then) stays so.
WRITE = f"""
insert into learner_states
       (user_id, cursor_ts, cursor_id, settled_as_of, parameter_version, states, generation, fold_version)
values ($1, $2, $3, $4, $5, $6::text::jsonb, {_NOW}, {FOLD_VERSION})
    on conflict (user_id) do update
   set cursor_ts = excluded.cursor_ts, cursor_id = excluded.cursor_id, settled_as_of = excluded.settled_as_of,
       parameter_version = excluded.parameter_version, states = excluded.states,
       is_stale = learner_states.is_stale and learner_states.generation <> $7,
       fold_version = excluded.fold_version, generation = greatest(learner_states.generation + 1, {_NOW})
returning generation, pg_notify('osler_generation', user_id::text)
"""
# The notice reaches every process that keeps answers, at COMMIT (osler.http.cache.news).


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """How far a learner is folded. `cursor` None: not at all; `version` None: under no parameters yet.

    `is_stale`: to be folded anew; `is_outdated`: because an older version of the folds made the rows.
    """

    cursor: Cursor | None = None
    settled_as_of: datetime | None = None
    version: str | None = None
    states: dict[str, object] = field(default_factory=dict[str, object])
    generation: int = 0
    is_stale: bool = False
    is_outdated: bool = False
    settings: LearnerSettings = field(default_factory=LearnerSettings)
    catalogue: tuple[str, int, datetime] | None = None


async def read(session: ReadSession, user_id: UUID) -> LearnerRow:
    """The learner's row, or that of one who was never folded."""
    return row_of(await session.driver().fetchrow(READ, user_id))


def row_of(row: Any) -> LearnerRow:
    """What `READ` gave. Errors: Unavailable when a newer version folded the learner: this one leaves the rows alone."""
    settings = LearnerSettings(desired_retention=row["desired_retention"])
    catalogue = None if row["version"] is None else (row["database"], row["version"], row["changed_at"])
    if row["parameter_version"] is None:
        return LearnerRow(settings=settings, catalogue=catalogue)
    if row["fold_version"] > FOLD_VERSION:
        raise Unavailable("A newer Osler has folded this learner; use that one.", code="state.newer")
    cursor = None if row["cursor_ts"] is None else Cursor(row["cursor_ts"], row["cursor_id"])
    return LearnerRow(
        cursor=cursor,
        settled_as_of=row["settled_as_of"],
        version=row["parameter_version"],
        states=msgspec.json.decode(row["states"], type=dict[str, object]),
        generation=row["generation"],
        is_stale=row["is_stale"],
        is_outdated=row["fold_version"] < FOLD_VERSION,
        settings=settings,
        catalogue=catalogue,
    )


def written(
    user_id: UUID,
    cursor: Cursor | None,
    *,
    settled_as_of: datetime | None,
    version: str,
    states: dict[str, object],
    generation: int,
) -> tuple[Any, ...]:
    """The parameters of `WRITE`: how far the learner is folded now; `generation` is that of the row before."""
    encoded = msgspec.json.encode(states).decode()
    at = cursor and cursor.event_ts, cursor and cursor.event_id
    return user_id, *at, settled_as_of, version, encoded, generation
