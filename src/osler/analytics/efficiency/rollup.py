"""Which rows do a learner's days and weeks make? Counted by SQL, whole days at a time, never event by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.contract import Days
from osler.db.engine import Database, WriteSession

# An event of a local day has its id time within these bounds, so that few partitions are opened (clock skew <= 24 h).
BEFORE, AFTER = timedelta(days=2), timedelta(days=3)
LEARNERS_A_STATEMENT = 500

# Days whose rows a change of the given days can touch beside themselves: those of sessions that cross into them or
# end so late that they could, and, when something arrives late, every later day, as first attempts move.
WIDEN = """
with wanted as (select * from unnest(cast(:users as uuid[]), cast(:dates as date[])) as w(user_id, local_date)),
first_change as (select user_id, min(local_date) as local_date from wanted group by 1)
select user_id, local_date from wanted
union
select w.user_id, d.day::date
  from wanted w
  join users u on u.user_id = w.user_id
  join study_sessions s on s.user_id = w.user_id
   and s.local_date between w.local_date - 2 and w.local_date
   and (s.ended_at at time zone 'UTC') + make_interval(mins => s.utc_offset_minutes)
       >= w.local_date + make_interval(mins => u.day_start_minutes - 240)
  cross join lateral jsonb_object_keys(s.days) as d(day)
union
select d.user_id, d.local_date
  from first_change f
  join daily_user_stats d on d.user_id = f.user_id and d.local_date > f.local_date
"""

DELETE_DAYS = """
delete from daily_user_stats d using unnest(cast(:users as uuid[]), cast(:dates as date[])) as w(user_id, local_date)
 where d.user_id = w.user_id and d.local_date = w.local_date
"""

# One pass over each table of the log: all days of these learners between the bounds are counted, and the wanted ones
# kept, which is cheaper than to ask of each row whether its day is wanted. First attempts are those that the items'
# memories say were the first; a grade that a corrected key changed counts as corrected (looked for only where some key
# has been corrected). Seconds are added as whole microseconds: the same sum in whatever order, so nothing is sorted.
INSERT_DAYS = """
with wanted as (select * from unnest(cast(:users as uuid[]), cast(:dates as date[])) as w(user_id, local_date)),
logged as (
  select e.user_id, e.local_date, count(*) as events, max(e.event_ts) as as_of,
         count(*) filter (where e.event_type = 'note_taken' and e.data->>'action' = 'create') as notes,
         count(*) filter (where e.event_type = 'coach_message' and e.data->>'role' = 'learner') as coach_messages
    from study_events e
   where e.user_id = any(cast(:learners as uuid[])) and e.event_ts >= :low and e.event_ts < :high
     and e.event_type <> 'api_request'
   group by 1, 2),
regraded as (
  select r.user_id, (r.data->>'attempt_event_id')::uuid as event_id,
         (array_agg((r.data->>'is_correct')::boolean order by (r.data->>'key_version')::int desc))[1] as is_correct
    from study_events r
   where r.user_id = any(cast(:learners as uuid[])) and r.event_type = 'question_regrade'
     and (select exists (select 1 from questions where key_version > 1))
   group by 1, 2),
answered_by_hour as (
  select a.user_id, a.local_date,
         date_part('hour', (a.effective_at at time zone 'UTC') + make_interval(mins => a.utc_offset_minutes)) as hour,
         count(*) as n, count(*) filter (where coalesce(g.is_correct, a.is_correct, a.rating >= 2)) as passed,
         count(a.question_id) as questions,
         count(*) filter (where a.card_id is null and coalesce(g.is_correct, a.is_correct)) as correct,
         count(*) filter (where a.rating >= 2) as reviews_passed,
         sum(round(least(a.time_to_answer_seconds, 600.0) * 1e6)::bigint) as answer_microseconds
    from question_attempts a
    left join regraded g on g.user_id = a.user_id and g.event_id = a.event_id
   where a.user_id = any(cast(:learners as uuid[])) and a.event_ts >= :low and a.event_ts < :high
   group by 1, 2, 3),
answered as (
  select user_id, local_date, sum(questions) as questions, sum(correct) as correct,
         sum(n) - sum(questions) as reviews, sum(reviews_passed) as reviews_passed,
         (sum(answer_microseconds) / 1e6)::float8 as answer_seconds,
         jsonb_object_agg(hour::int::text, jsonb_build_array(n, passed)) as hours
    from answered_by_hour group by 1, 2),
met as (
  select i.user_id, i.first_local_date as local_date, count(*) as first_attempts,
         count(*) filter (where i.first_correct) as first_correct
    from item_memory i
   where i.user_id = any(cast(:learners as uuid[])) and i.item_kind = 'question' group by 1, 2),
read as (
  select m.user_id, m.local_date, count(distinct m.material_id) as materials,
         count(distinct m.material_id) filter (where m.event_type = 'material_complete') as materials_completed
    from material_interactions m
   where m.user_id = any(cast(:learners as uuid[])) and m.event_ts >= :low and m.event_ts < :high
   group by 1, 2),
timed as (
  select s.user_id, d.key::date as local_date, max(s.last_event_ts) as as_of,
         count(*) filter (where s.local_date = d.key::date) as sessions,
         sum(s.interruptions) filter (where s.local_date = d.key::date) as interruptions,
         sum((d.value->>0)::float8 order by s.first_event_ts, s.first_event_id) as active_seconds,
         sum((d.value->>1)::float8 order by s.first_event_ts, s.first_event_id) as total_seconds
    from study_sessions s cross join lateral jsonb_each(s.days) as d
   where s.user_id = any(cast(:learners as uuid[]))
     and s.local_date between cast(:first_day as date) - 2 and cast(:last_day as date)
   group by 1, 2)
insert into daily_user_stats (
  user_id, local_date, events, sessions, active_seconds, total_seconds, questions, correct, reviews, reviews_passed,
  first_attempts, first_correct, answer_seconds, materials, notes, interruptions, materials_completed, coach_messages,
  hours, as_of)
select w.user_id, w.local_date, coalesce(l.events, 0), coalesce(t.sessions, 0), coalesce(t.active_seconds, 0),
       coalesce(t.total_seconds, 0), coalesce(a.questions, 0), coalesce(a.correct, 0), coalesce(a.reviews, 0),
       coalesce(a.reviews_passed, 0), coalesce(f.first_attempts, 0), coalesce(f.first_correct, 0),
       coalesce(a.answer_seconds, 0), coalesce(r.materials, 0), coalesce(l.notes, 0), coalesce(t.interruptions, 0),
       coalesce(r.materials_completed, 0), coalesce(l.coach_messages, 0), coalesce(a.hours, '{}'),
       coalesce(l.as_of, t.as_of)
  from wanted w
  left join logged l using (user_id, local_date)
  left join answered a using (user_id, local_date)
  left join met f using (user_id, local_date)
  left join read r using (user_id, local_date)
  left join timed t using (user_id, local_date)
 where l.events > 0 or t.active_seconds > 0
"""

# Row-level policy is estimated to let one row of 200 through, so the planner would sort the log of a chunk (on disk)
# to group what it takes for a few thousand rows; hashing them takes half the time.
HASHED = "set local enable_sort = off"
AS_BEFORE = "set local enable_sort to default"

WEEKS = (
    "with wanted as (select distinct u as user_id, d - (extract(isodow from d)::int - 1) as week_on "
    "from unnest(cast(:users as uuid[]), cast(:dates as date[])) as w(u, d))"
)

DELETE_WEEKS = (
    WEEKS
    + """
delete from weekly_user_stats s using wanted w where s.user_id = w.user_id and s.week_on = w.week_on
"""
)

INSERT_WEEKS = (
    WEEKS
    + """
insert into weekly_user_stats (
  user_id, week_on, events, active_days, sessions, active_seconds, total_seconds, questions, correct, reviews,
  reviews_passed, first_attempts, first_correct, materials, notes, interruptions, as_of)
select w.user_id, w.week_on, sum(d.events),
       count(*) filter (where d.active_seconds >= 600 or d.questions + d.reviews >= 10), sum(d.sessions),
       sum(d.active_seconds order by d.local_date), sum(d.total_seconds order by d.local_date), sum(d.questions),
       sum(d.correct), sum(d.reviews), sum(d.reviews_passed), sum(d.first_attempts), sum(d.first_correct),
       sum(d.materials), sum(d.notes), sum(d.interruptions), max(d.as_of)
  from wanted w
  join daily_user_stats d on d.user_id = w.user_id and d.local_date between w.week_on and w.week_on + 6
 group by 1, 2
"""
)


LEARNERS_OF_DAY = """
select distinct user_id from study_events where local_date = :day and event_ts >= :low and event_ts < :high
"""


async def recount_days(s: WriteSession, days: Days) -> None:
    """Count these days, and those that they touch, anew into `daily_user_stats`."""
    wide = await _widened(s, days)
    if not wide:
        return
    await s.execute(sa.text(DELETE_DAYS), wide)
    await s.execute(sa.text(HASHED))
    for part in _by_start(wide):
        given = {**part, **_bounds(part["dates"]), "learners": list(dict.fromkeys(part["users"]))}
        await s.execute(sa.text(INSERT_DAYS), given, name="jobs.daily_stats")
    await s.execute(sa.text(AS_BEFORE))


def _by_start(wide: Mapping[str, Sequence[Any]]) -> list[dict[str, list[Any]]]:
    """The days by the month of their learner's first: one who goes years back lets nobody else be read from there."""
    first: dict[UUID, date] = {}
    for user_id, day in zip(wide["users"], wide["dates"], strict=True):
        first[user_id] = min(first.get(user_id, day), day)
    parts: dict[tuple[int, int], dict[str, list[Any]]] = {}
    for user_id, day in zip(wide["users"], wide["dates"], strict=True):
        part = parts.setdefault((first[user_id].year, first[user_id].month), {"users": [], "dates": []})
        part["users"].append(user_id)
        part["dates"].append(day)
    return list(parts.values())


async def recount_weeks(s: WriteSession, days: Days) -> None:
    """Sum the days of every week that one of these days, or one that it touches, falls into."""
    wide = await _widened(s, days)
    if wide:
        await s.execute(sa.text(DELETE_WEEKS), wide)
        await s.execute(sa.text(INSERT_WEEKS), wide, name="jobs.weekly_stats")


async def aggregate_daily_stats(day: date, *, db: Database) -> int:
    """The brief's call: count one local day of every learner who has events on it. Returns the learners counted.

    Running it twice is dull. The nightly job does the same for whatever days were marked.
    """
    async with db.read(primary=True) as s:
        found = await s.rows(sa.text(LEARNERS_OF_DAY), {"day": day, **_bounds([day])})
    user_ids = sorted(row["user_id"] for row in found)
    for start in range(0, len(user_ids), LEARNERS_A_STATEMENT):
        part = user_ids[start : start + LEARNERS_A_STATEMENT]
        async with db.write(statement_timeout_seconds=db.settings.job_statement_timeout_seconds) as s:
            await recount_days(s, Days(part, [day] * len(part)))
    return len(user_ids)


async def _widened(s: WriteSession, days: Days) -> dict[str, list[Any]]:
    """The days and those that they touch, as columns; empty for no days."""
    if not days.user_ids:
        return {}
    given = {"users": list(days.user_ids), "dates": list(days.local_dates)}
    wide = await s.rows(sa.text(WIDEN), given)
    return {"users": [row["user_id"] for row in wide], "dates": [row["local_date"] for row in wide]}


def _bounds(dates: Sequence[date]) -> dict[str, datetime | date]:
    """The first and the last of these local days, and between which id times their events lie."""
    midnight, first, last = time(tzinfo=UTC), min(dates), max(dates)
    return {
        "first_day": first,
        "last_day": last,
        "low": datetime.combine(first, midnight) - BEFORE,
        "high": datetime.combine(last, midnight) + AFTER,
    }
