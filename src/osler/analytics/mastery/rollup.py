"""Counts by learner, topic and local day, straight from the log: the job `topic_stats`."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from osler.analytics.contract import DayRollup, Days
from osler.db.session import WriteSession

# An event of local day D has its id time within [D - 2 d, D + 3 d]; without that window every partition is opened.
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=3)

# The topics of an item are the catalogue's, else those that an import gave, which are looked up one by one, by key and
# only where they are needed. A regraded answer counts as regraded. Whether a day is wanted is asked of a hashed set,
# and grades are joined as one: neither rests on what the planner believes of tables that were written a moment ago.
# Seconds are summed as whole microseconds, so that a sum is the same to the last bit in whatever order rows come.
_COUNT = """
with wanted as (select * from unnest($1::uuid[], $2::date[]) as w(user_id, local_date)),
regraded as (
    select g.user_id, (g.data ->> 'attempt_event_id')::uuid as event_id,
           (array_agg((g.data ->> 'is_correct')::boolean
              order by (g.data ->> 'key_version')::int desc, g.event_ts desc, g.event_id desc))[1] as is_correct
      from study_events g
     where $6 and g.user_id = any($3::uuid[]) and g.event_type = 'question_regrade'
     group by 1, 2
),
answers as (
    select a.user_id, a.local_date, a.time_to_answer_seconds as seconds, a.question_id is not null as is_question,
           coalesce(r.is_correct, a.is_correct) as is_correct, a.rating, t.topic_id
      from question_attempts a
      left join regraded r on r.user_id = a.user_id and r.event_id = a.event_id
      left join questions q on q.question_id = a.question_id
      left join cards c on c.user_id = a.user_id and c.card_id = a.card_id
      cross join lateral unnest(coalesce(nullif(q.topic_ids, '{}'), nullif(c.topic_ids, '{}'),
           (select e.topic_ids from study_events e
             where e.user_id = a.user_id and e.event_ts = a.event_ts and e.event_id = a.event_id), '{}')) as t(topic_id)
     where ((a.user_id, a.local_date) in (select user_id, local_date from wanted)) is true
       and a.user_id = any($3::uuid[]) and a.event_ts >= $4 and a.event_ts < $5
),
readings as (
    select m.user_id, m.local_date, t.topic_id, sum(round(m.active_seconds * 1e6)::bigint) as micros
      from material_interactions m
      join materials x on x.material_id = m.material_id
      cross join lateral unnest(x.topic_ids) as t(topic_id)
     where ((m.user_id, m.local_date) in (select user_id, local_date from wanted)) is true
       and m.user_id = any($3::uuid[]) and m.event_ts >= $4 and m.event_ts < $5 and m.event_type = 'material_progress'
     group by 1, 2, 3
),
counted as (
    select user_id, topic_id, local_date,
           count(*) filter (where is_question and is_correct is not null) as questions_attempted,
           count(*) filter (where is_question and is_correct) as questions_correct,
           count(*) filter (where rating is not null) as reviews,
           count(*) filter (where rating > 1) as reviews_passed,
           sum(round(seconds * 1e6)::bigint) as answer_micros, 0 as reading_micros
      from answers group by 1, 2, 3
    union all
    select user_id, topic_id, local_date, 0, 0, 0, 0, 0, micros from readings
),
summed as materialized (
    select user_id, topic_id, local_date, sum(questions_attempted) as questions_attempted,
           sum(questions_correct) as questions_correct, sum(reviews) as reviews, sum(reviews_passed) as reviews_passed,
           coalesce(sum(answer_micros) / 1e6, 0)::float8 as answer_seconds,
           coalesce(sum(reading_micros) / 1e6, 0)::float8 as reading_seconds
      from counted group by 1, 2, 3
),
stored as (
    insert into topic_daily_stats as s (user_id, topic_id, local_date, questions_attempted, questions_correct, reviews,
                                        reviews_passed, answer_seconds, reading_seconds)
    select * from summed
        on conflict (user_id, topic_id, local_date) do update
       set questions_attempted = excluded.questions_attempted, questions_correct = excluded.questions_correct,
           reviews = excluded.reviews, reviews_passed = excluded.reviews_passed,
           answer_seconds = excluded.answer_seconds, reading_seconds = excluded.reading_seconds
     where (s.questions_attempted, s.questions_correct, s.reviews, s.reviews_passed, s.answer_seconds,
            s.reading_seconds)
           is distinct from (excluded.questions_attempted, excluded.questions_correct, excluded.reviews,
                             excluded.reviews_passed, excluded.answer_seconds, excluded.reading_seconds)
)
update topic_daily_stats s
   set questions_attempted = 0, questions_correct = 0, reviews = 0, reviews_passed = 0, answer_seconds = 0,
       reading_seconds = 0
  from wanted w
 where s.user_id = any($3::uuid[]) and s.user_id = w.user_id and s.local_date = w.local_date
   and not (s.questions_attempted = 0 and s.reviews = 0 and s.answer_seconds = 0 and s.reading_seconds = 0)
   and ((s.user_id, s.topic_id, s.local_date) in (select user_id, topic_id, local_date from summed)) is not true
"""

_REGRADES = """
select exists (select from study_events where user_id = any($1::uuid[]) and event_type = 'question_regrade')
"""

# The learners are named beside their days: the key begins with them, and without that every chunk of days would read
# the whole table.
_EMPTY = """
delete from topic_daily_stats s using unnest($1::uuid[], $2::date[]) as w(user_id, local_date)
 where s.user_id = any($3::uuid[]) and s.user_id = w.user_id and s.local_date = w.local_date and s.mastery is null
   and s.questions_attempted = 0 and s.reviews = 0 and s.answer_seconds = 0 and s.reading_seconds = 0
"""


async def recount(session: WriteSession, days: Days) -> None:
    """Count these learner-days again. What the fold wrote of the same days (mastery) stays."""
    if not days.user_ids:
        return
    users, dates = list(days.user_ids), list(days.local_dates)
    learners = list(dict.fromkeys(users))
    low, high = (datetime.combine(day, time(tzinfo=UTC)) for day in (min(dates), max(dates)))
    driver = session.driver()
    has_regrades: bool = await driver.fetchval(_REGRADES, learners)
    await driver.execute(_COUNT, users, dates, learners, low - _BEFORE, high + _AFTER, has_regrades)
    await driver.execute(_EMPTY, users, dates, learners)


TOPIC_STATS = DayRollup(name="topic_stats", recount=recount)
