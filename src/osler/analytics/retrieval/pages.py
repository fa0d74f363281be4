"""Reads for the retrieval pages: topics with what is due, retention by week, the calendar; each in one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.retrieval.due import SECONDS_PART
from osler.catalog.learners import ME, gather, gather_known
from osler.catalog.snapshot import Catalogue
from osler.db.session import ReadSession

TOPIC_FIELDS = (
    "topic_id", "retrieval_strength", "retrieval_low", "retrieval_high", "items_seen", "items_remembered",
    "next_review_on", "sm2_interval_days", "sm2_next_review_at", "as_of",
)  # fmt: skip
CALENDAR_DAYS = 90

_LEARNER = """
  'today', me.today,
  'desired_retention', coalesce((select u.desired_retention from users u where u.user_id = me.user_id), 0.9),
  'version', (select s.parameter_version from learner_states s where s.user_id = me.user_id),
  'exam', (select row_to_json(e) from (select x.exam_id, x.exam_on from user_exams x
            where x.user_id = me.user_id and x.is_current) e)
"""

_SECONDS = f"'seconds_per_review', {SECONDS_PART}"

# The tables of topics lie above this analytic; it reads the columns that are its own there.
_OVERVIEW = f"""
with {ME},
due as (
  select t.topic_id, count(*) filter (where m.due_on <= me.today) as due,
         count(*) filter (where m.due_on = me.today + 1) as due_tomorrow
    from me join item_topics t on t.user_id = me.user_id
    join item_memory m on m.user_id = t.user_id and m.item_kind = t.item_kind and m.item_id = t.item_id
   where m.due_on <= me.today + 1 group by 1)
select json_build_object({_LEARNER}, {_SECONDS},
  'due', (select count(*) from item_memory m where m.user_id = me.user_id and m.due_on <= me.today),
  'reviews', (select coalesce(sum(m.attempts), 0) from item_memory m where m.user_id = me.user_id),
  'fit', (select row_to_json(f) from (select p.version, p.reviews, p.fsrs_verdict, p.sbd_verdict,
             p.fsrs as weights, p.sbd, (p.fitted_ts at time zone 'utc')::date as fitted_on
             from memory_parameters p where p.user_id = me.user_id) f),
  'guard', (select s.states->'retrieval'->'guard' from learner_states s where s.user_id = me.user_id),
  'topics', (select coalesce(json_agg(json_build_array({", ".join("t." + name for name in TOPIC_FIELDS)},
                    coalesce(d.due, 0), coalesce(d.due_tomorrow, 0)) order by t.topic_id), '[]')
     from topic_mastery t left join due d on d.topic_id = t.topic_id where t.user_id = me.user_id),
  'weeks', (select coalesce(json_agg(json_build_array(w.week, w.n, w.passed, w.forecast) order by w.week), '[]') from (
     select date_trunc('week', a.local_date)::date as week, count(*) as n,
            count(*) filter (where coalesce(a.rating > 1, a.is_correct)) as passed, avg(p.probability) as forecast
       from (select distinct on (f.as_of, f.about) f.user_id, f.as_of, f.about, f.probability
               from predictions f
              where f.user_id = me.user_id and f.task = 'recall' and f.elapsed_days >= 1
                and f.as_of > me.as_of - interval '26 weeks'
              order by f.as_of, f.about, f.made_at) p
       join question_attempts a on a.user_id = p.user_id and a.event_ts = p.as_of and a.event_id = p.about::uuid
      where a.event_ts > me.as_of - interval '26 weeks'
      group by 1) w))::text
  from me
"""

_CALENDAR = f"""
with {ME}
select json_build_object({_LEARNER}, {_SECONDS},
  'met', exists (select from item_memory m
     where m.user_id = me.user_id and (m.due_on is not null or m.item_kind = 'card' and m.review_days > 0)),
  'done', (select coalesce(json_agg(json_build_array(d.local_date, d.n, d.seconds) order by d.local_date), '[]') from (
     select a.local_date, count(*) as n, sum(least(a.time_to_answer_seconds, 120)) as seconds
       from question_attempts a
      where a.user_id = me.user_id and a.card_id is not null
        and a.local_date between me.today - {CALENDAR_DAYS} and me.today
        and a.event_ts > me.as_of - interval '{CALENDAR_DAYS + 4} days'
      group by 1) d),
  'due', (select coalesce(json_agg(json_build_array(d.day, d.n) order by d.day), '[]') from (
     select greatest(m.due_on, me.today) as day, count(*) as n from item_memory m
      where m.user_id = me.user_id and m.due_on <= me.today + {CALENDAR_DAYS}
        and m.due_on < coalesce((select x.exam_on from user_exams x where x.user_id = me.user_id and x.is_current
                                    and x.exam_on > me.today), 'infinity') group by 1) d))::text
  from me
"""

_TOPIC = f"""
with {ME}
select json_build_object({_LEARNER},
  'row', (select json_build_array({", ".join("t." + name for name in TOPIC_FIELDS)}, t.recall_bias, t.memory_days,
                 t.last_at, t.ability_mean, t.ability_variance)
            from topic_mastery t where t.user_id = me.user_id and t.topic_id = $3),
  'items_total', (select count(*) from questions q where q.topic_ids @> array[$3]::text[])
               + (select count(*) from cards c where c.user_id = me.user_id and c.topic_ids @> array[$3]::text[]),
  'memory', (select s.states->'retrieval' from learner_states s where s.user_id = me.user_id),
  'days', (select coalesce(json_agg(json_build_array(d.local_date, d.questions_attempted + d.reviews,
                    d.questions_correct + d.reviews_passed) order by d.local_date), '[]')
     from topic_daily_stats d where d.user_id = me.user_id and d.topic_id = $3
      and d.questions_attempted + d.reviews > 0))::text
  from me
"""


Known = tuple[dict[str, Any], Catalogue]


async def overview(session: ReadSession, user_id: UUID, as_of: datetime) -> Known:
    """Topics with recall and what is due, the learner's pace, next-day recall by week; and the catalogue."""
    found, known = await gather_known(session, _OVERVIEW, user_id, as_of)
    names = (*TOPIC_FIELDS, "due", "due_tomorrow")
    found["topics"] = [dict(zip(names, row, strict=True)) for row in found["topics"]]
    return found, known


async def calendar(session: ReadSession, user_id: UUID, as_of: datetime) -> dict[str, Any]:
    """Reviews done by local day, and items due by local day; what is overdue counts to today.

    Nothing is due on the day of an exam that is ahead, or after it.
    """
    return await gather(session, _CALENDAR, user_id, as_of)


async def topic(session: ReadSession, user_id: UUID, as_of: datetime, topic_id: str) -> Known:
    """One topic's recall, and its days with answers; and the catalogue."""
    found, known = await gather_known(session, _TOPIC, user_id, as_of, topic_id)
    if found["row"] is not None:
        names = (*TOPIC_FIELDS, "recall_bias", "memory_days", "last_at", "ability_mean", "ability_variance")
        found["row"] = dict(zip(names, found["row"], strict=True))
    return found, known
