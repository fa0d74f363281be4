"""Counts by learner, topic and local day, straight from the log: the job `topic_stats`."""

from __future__ import annotations

from osler.analytics.contract import DayRollup, Days
from osler.db.session import WriteSession

# An event of local day D has its id time within [D - 2 d, D + 3 d]; without that window every partition is opened.
_WANTED = """
wanted as (select * from unnest($1::uuid[], $2::date[]) as w(user_id, local_date)),
span as (select min(local_date) - 2 as low, max(local_date) + 3 as high from wanted)
"""

_ZERO = """
update topic_daily_stats s
   set questions_attempted = 0, questions_correct = 0, reviews = 0, reviews_passed = 0, answer_seconds = 0,
       reading_seconds = 0
  from unnest($1::uuid[], $2::date[]) as w(user_id, local_date)
 where s.user_id = w.user_id and s.local_date = w.local_date
"""

# The topics of an item are the catalogue's, else those that an import gave. A regraded answer counts as regraded.
_COUNT = f"""
with {_WANTED},
answers as (
    select a.user_id, a.local_date, a.time_to_answer_seconds as seconds, a.question_id is not null as is_question,
           coalesce(r.is_correct, a.is_correct) as is_correct, a.rating, t.topic_id
      from wanted w
      join question_attempts a
        on a.user_id = w.user_id and a.local_date = w.local_date
       and a.event_ts >= (select low from span) and a.event_ts < (select high from span)
      join study_events e on e.user_id = a.user_id and e.event_ts = a.event_ts and e.event_id = a.event_id
      left join questions q on q.question_id = a.question_id
      left join cards c on c.user_id = a.user_id and c.card_id = a.card_id
      left join lateral (
           select (g.data ->> 'is_correct')::boolean as is_correct
             from study_events g
            where g.user_id = a.user_id and g.event_type = 'question_regrade'
              and g.data ->> 'attempt_event_id' = a.event_id::text
            order by (g.data ->> 'key_version')::int desc, g.event_ts desc, g.event_id desc limit 1) r on $3
      cross join lateral unnest(
           coalesce(nullif(q.topic_ids, '{{}}'), nullif(c.topic_ids, '{{}}'), e.topic_ids, '{{}}')) as t(topic_id)
),
readings as (
    select m.user_id, m.local_date, t.topic_id, sum(coalesce(m.active_seconds, 0)) as seconds
      from wanted w
      join material_interactions m
        on m.user_id = w.user_id and m.local_date = w.local_date
       and m.event_ts >= (select low from span) and m.event_ts < (select high from span)
      join materials x on x.material_id = m.material_id
      cross join lateral unnest(x.topic_ids) as t(topic_id)
     where m.event_type = 'material_progress'
     group by 1, 2, 3
),
counted as (
    select user_id, topic_id, local_date,
           count(*) filter (where is_question and is_correct is not null) as questions_attempted,
           count(*) filter (where is_question and is_correct) as questions_correct,
           count(*) filter (where rating is not null) as reviews,
           count(*) filter (where rating > 1) as reviews_passed,
           sum(seconds) as answer_seconds, 0.0 as reading_seconds
      from answers group by 1, 2, 3
    union all
    select user_id, topic_id, local_date, 0, 0, 0, 0, 0.0, seconds from readings
)
insert into topic_daily_stats as s (user_id, topic_id, local_date, questions_attempted, questions_correct, reviews,
                                    reviews_passed, answer_seconds, reading_seconds)
select user_id, topic_id, local_date, sum(questions_attempted), sum(questions_correct), sum(reviews),
       sum(reviews_passed), sum(answer_seconds), sum(reading_seconds)
  from counted group by 1, 2, 3
    on conflict (user_id, topic_id, local_date) do update
   set questions_attempted = excluded.questions_attempted, questions_correct = excluded.questions_correct,
       reviews = excluded.reviews, reviews_passed = excluded.reviews_passed,
       answer_seconds = excluded.answer_seconds, reading_seconds = excluded.reading_seconds
"""

_REGRADES = """
select exists (select from study_events where user_id = any($1::uuid[]) and event_type = 'question_regrade')
"""

_EMPTY = """
delete from topic_daily_stats s using unnest($1::uuid[], $2::date[]) as w(user_id, local_date)
 where s.user_id = w.user_id and s.local_date = w.local_date and s.mastery is null
   and s.questions_attempted = 0 and s.reviews = 0 and s.answer_seconds = 0 and s.reading_seconds = 0
"""


async def recount(session: WriteSession, days: Days) -> None:
    """Count these learner-days again. What the fold wrote of the same days (mastery) stays."""
    users, dates = list(days.user_ids), list(days.local_dates)
    driver = session.driver()
    has_regrades: bool = await driver.fetchval(_REGRADES, users)
    await driver.execute(_ZERO, users, dates)
    await driver.execute(_COUNT, users, dates, has_regrades)
    await driver.execute(_EMPTY, users, dates)


TOPIC_STATS = DayRollup(name="topic_stats", recount=recount)
