"""Reads of sessions, days and weeks for one learner: one round trip an answer, from rows counted beforehand."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.highlights import SHOWN
from osler.catalog.learners import ME, gather
from osler.db.engine import ReadSession

EFFICIENCY = f"""
with {ME},
days as (
  select d.* from me join daily_user_stats d on d.user_id = me.user_id
   where d.local_date > me.today - 90 and d.local_date <= me.today),
sessions as (
  select s.* from me join study_sessions s on s.user_id = me.user_id
   where s.local_date > me.today - 90 and s.local_date <= me.today),
answered as (
  select extract(isodow from d.local_date)::int as weekday, h.key::int as hour,
         sum((h.value->>0)::int) as n, sum((h.value->>1)::int) as correct
    from days d cross join lateral jsonb_each(d.hours) as h group by 1, 2),
studied as (
  select extract(isodow from left(h.key, 10)::date)::int as weekday, right(h.key, 2)::int as hour,
         sum(h.value::float8 order by s.first_event_ts) / 60 as minutes
    from sessions s cross join lateral jsonb_each(s.hours) as h group by 1, 2),
lengths as (
  select width_bucket(active_seconds / 60, array[5, 15, 30, 45, 60, 90, 120]) as bin, count(*) as sessions,
         sum(graded + reviews) as n, sum(correct + reviews_passed) as correct
    from sessions where active_seconds >= 60 group by 1)
select json_build_object(
  'today', (select today from me),
  'as_of', (select max(as_of) from days),
  'days', (select coalesce(json_agg(json_build_array(local_date, active_seconds, total_seconds, questions + reviews,
             materials, sessions, interruptions) order by local_date), '[]') from days where local_date > (select today from me) - 28),
  'hours', (select coalesce(json_agg(json_build_array(weekday, hour, coalesce(a.n, 0), coalesce(a.correct, 0),
             coalesce(t.minutes, 0)) order by weekday, hour), '[]') from answered a full join studied t using (weekday, hour)),
  'lengths', (select coalesce(json_agg(json_build_array(bin, sessions, n, correct) order by bin), '[]') from lengths),
  'minutes', (select coalesce(json_agg(active_seconds / 60 order by first_event_ts), '[]') from sessions where active_seconds >= 60),
  'has_signals', (select coalesce(bool_or(has_signals), false) from sessions where local_date > (select today from me) - 28),
  'sessions', (select count(*) from sessions),
  'insights', (select {SHOWN} from me),
  'weeks', (select coalesce(json_agg(json_build_array(w.week_on, w.active_seconds, w.total_seconds, w.sessions)
             order by w.week_on), '[]')
             from me join weekly_user_stats w on w.user_id = me.user_id and w.week_on > me.today - 70
              and w.week_on <= me.today and w.sessions > 0))::text
"""  # noqa: E501 - one object, read as one; constants alone


async def efficiency_of(s: ReadSession, user_id: UUID, as_of: datetime) -> dict[str, Any]:
    """What the efficiency page is made of: 28 days, the hours and lengths of 90, ten weeks."""
    return await gather(s, EFFICIENCY, user_id, as_of)
