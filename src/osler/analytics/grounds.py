"""On what do a learner's refreshed rows rest, and has any of it moved on since?

The rows of a `Refresh` are made of what folds and counts have made, of the learner's settings, of the catalogue and of
what models serve. The table `refreshed` says for each learner and job as of when its rows are, and by a digest on what
they rest. Where there is no such entry, or its digest is not the present one, the rows are owed: they are made again by
the next night, or by a replay before it compares. So nobody who changes one of these has to know who rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.contract import Moments
from osler.catalog.classes import CLASS_OF
from osler.db.session import ReadSession, WriteSession
from osler.forecasts.parameters import CURRENT

# Beside a learner's own: the catalogue, the parameters served, and exam models that were emptied, as a model is served
# as of an instant. What was counted has no version: who counts takes the entries away.
_STANDING = f"""
select s.user_id, s.cursor_ts, md5(row(
         s.generation, u.time_zone, u.day_start_minutes, u.desired_retention, u.consents, x.exam_id, x.exam_on,
         x.minutes_per_day, x.goal_score, {CLASS_OF.format(user_id="s.user_id")},
         a.catalogue, a.parameters, a.emptied)::text) as ground
  from learner_states s
  left join users u on u.user_id = s.user_id
  left join user_exams x on x.user_id = s.user_id and x.is_current
  cross join (select (select max(version) from catalog_versions) as catalogue, {CURRENT} as parameters,
                     (select count(*) from models where task = 'exam' and content = '{{}}') as emptied) a
 where s.cursor_ts is not null
"""
# Held until the rows are committed: an erasure that has come so far waits, finds them and deletes them.
_OF = f"{_STANDING} and s.user_id = any($1::uuid[]) order by s.user_id for key share of s"
_OWED = f"""
select g.user_id from ({_STANDING} and s.user_id > $2 and ($3::uuid[] is null or s.user_id = any($3))) g
 where not exists (select from refreshed r where r.user_id = g.user_id and r.job = $1 and r.ground = g.ground)
 order by g.user_id limit $4
"""
_BEHIND = f"""
select g.user_id from ({_STANDING} and s.user_id = any($2::uuid[])) g
 where exists (select from unnest($1::text[]) as j(job) where not exists (
         select from refreshed r where r.user_id = g.user_id and r.job = j.job and r.ground = g.ground))
"""
# Rows that are made again as they were move nothing that rests on them.
_NOTE = """
with made as (
  select * from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as m(user_id, as_of, ground)),
moved as (
  select m.user_id from made m left join refreshed r on r.user_id = m.user_id and r.job = $4
   where r.as_of is distinct from m.as_of or r.ground is distinct from m.ground),
forgotten as (
  delete from refreshed r using moved m where r.user_id = m.user_id and r.job = any($5::text[]))
insert into refreshed (user_id, job, as_of, ground) select user_id, $4, as_of, ground from made order by user_id
    on conflict (user_id, job) do update set as_of = excluded.as_of, ground = excluded.ground
"""
_AS_OF = "select user_id, as_of from refreshed where user_id = any($1::uuid[]) and job = $2 order by user_id"


@dataclass(frozen=True, slots=True)
class Standing:
    """Learners with folded events: what rows of them as of an instant would rest on now, as parallel columns."""

    moments: Moments
    grounds: Sequence[str]


async def standing(s: WriteSession, user_ids: Sequence[UUID], as_of: datetime) -> Standing:
    """Where these learners stand, each with the later of `as_of` and the last folded event.

    To be asked before anything is read that rows are made of: what moves meanwhile then makes them owed. A learner who
    was erased is not among them any more; one who is being erased stays until the transaction ends.
    """
    rows: Any = await s.driver().fetch(_OF, list(user_ids))
    moments = Moments([row["user_id"] for row in rows], [max(row["cursor_ts"], as_of) for row in rows])
    return Standing(moments, [row["ground"] for row in rows])


async def note(s: WriteSession, job: str, found: Standing, later: Sequence[str]) -> None:
    """Say that a job has made these learners' rows. Where they have moved, those of `later` jobs are owed."""
    users, as_of = list(found.moments.user_ids), list(found.moments.as_of)
    await s.driver().execute(_NOTE, users, as_of, list(found.grounds), job, list(later))


async def forget(s: WriteSession, user_ids: Sequence[UUID]) -> None:
    """Have all rows of these learners made again: what was counted of them has changed."""
    await s.driver().execute("delete from refreshed where user_id = any($1::uuid[])", list(user_ids))


async def owed(s: ReadSession, job: str, limit: int, after: UUID, only: Sequence[UUID] | None) -> list[UUID]:
    """Learners whose rows a job owes, in the order of their ids from `after` on; of everybody, or of `only` these."""
    rows: Any = await s.driver().fetch(_OWED, job, after, None if only is None else list(only), limit)
    return [row["user_id"] for row in rows]


async def behind(s: ReadSession, jobs: Sequence[str], user_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the learners to whom any of these jobs owes rows."""
    rows: Any = await s.driver().fetch(_BEHIND, list(jobs), list(user_ids))
    return [row["user_id"] for row in rows]


async def made_as_of(s: ReadSession, job: str, user_ids: Sequence[UUID]) -> Moments:
    """As of when a job has made rows of these learners; those of whom it has made none are left out."""
    rows: Any = await s.driver().fetch(_AS_OF, list(user_ids), job)
    return Moments([row["user_id"] for row in rows], [row["as_of"] for row in rows])
