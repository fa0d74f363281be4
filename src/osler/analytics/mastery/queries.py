"""Reads for the mastery pages: every topic of a learner, and one topic with its days; each in one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.mastery.evaluation import FIRST_DAY_BACK
from osler.catalog.learners import ME, gather_known
from osler.catalog.snapshot import Catalogue
from osler.db.session import ReadSession
from osler.forecasts.parameters import CURRENT

TOPIC_FIELDS = (
    "topic_id", "attempts", "mastery", "mastery_low", "mastery_high", "status", "trend", "mastery_score",
    "mastery_score_low", "mastery_score_high", "retrieval_strength", "retrieval_low", "retrieval_high",
    "questions_attempted", "questions_correct", "next_review_on", "last_at", "as_of",
)  # fmt: skip
DETAIL_FIELDS = (
    *TOPIC_FIELDS, "correct", "first_attempts", "first_correct", "first_attempt_accuracy", "overall_accuracy",
    "material_completion", "components_present", "materials_completed", "materials_total", "items_seen",
    "items_remembered", "sm2_interval_days", "sm2_next_review_at", "skill_mean", "skill_variance", "ability_mean",
    "ability_variance", "option_count", "recall_bias",
)  # fmt: skip

OVERVIEW_FIELDS = (*TOPIC_FIELDS, "attempts_shared")

# Answers and reviews as the fold below has counted them, each once: the sum over topics has one on two topics twice,
# and what mastery itself counts of a learner are answers alone.
ANSWERS = """
(select coalesce((l.states->'retrieval'->>'reviews')::bigint, 0) from learner_states l where l.user_id = me.user_id)
"""

# The trial of the model that the learner is served by; where the online model serves alone, the last trial of another.
_TRIAL = """
(select json_build_object('version', m.version, 'is_served', served.version is not null,
                          'is_accepted', coalesce((m.content->>'accepted')::boolean, false),
                          'trained_on', (m.trained_until at time zone 'utc')::date, 'learners', m.learners,
                          'answers', m.rows, 'metrics', m.metrics)
   from (select (select p.content->>'next_answer' from learner_states s
                   join models p on p.version = s.parameter_version and p.task = 'parameters'
                  where s.user_id = me.user_id) as version) as served
   join models m on m.task = 'next-answer' and (served.version is null or m.version = served.version)
  order by m.created_at desc, m.version desc limit 1)
"""

# Arrays, not objects: the names of 18 fields 250 times over cost more than the values.
_OVERVIEW = f"""
with {ME}
select json_build_object(
  'today', me.today,
  'desired_retention', coalesce((select u.desired_retention from users u where u.user_id = me.user_id), 0.9),
  'exam_id', (select e.exam_id from user_exams e where e.user_id = me.user_id and e.is_current),
  'version', (select s.parameter_version from learner_states s where s.user_id = me.user_id),
  'answers', {ANSWERS},
  'trial', {_TRIAL},
  'topics', (select coalesce(json_agg(json_build_array({", ".join("t." + name for name in OVERVIEW_FIELDS)})
               order by t.topic_id), '[]') from topic_mastery t where t.user_id = me.user_id))::text
  from me
"""

_DETAIL = f"""
with {ME}
select json_build_object(
  'today', me.today,
  'time_zone', me.time_zone,
  'desired_retention', coalesce((select u.desired_retention from users u where u.user_id = me.user_id), 0.9),
  'version', (select s.parameter_version from learner_states s where s.user_id = me.user_id),
  'pace', (select s.states->'retrieval'->'pace' from learner_states s where s.user_id = me.user_id),
  'setup', (select row_to_json(e) from (select x.exam_id, x.exam_on, x.minutes_per_day from user_exams x
             where x.user_id = me.user_id and x.is_current) e),
  'row', (select json_build_array({", ".join("t." + name for name in DETAIL_FIELDS)}) from topic_mastery t
           where t.user_id = me.user_id and t.topic_id = $3),
  'days', (select coalesce(json_agg(json_build_array(d.local_date, d.mastery, d.mastery_low, d.mastery_high,
                    d.attempts_to_date, d.questions_attempted + d.reviews, d.questions_correct + d.reviews_passed)
               order by d.local_date), '[]')
             from topic_daily_stats d where d.user_id = me.user_id and d.topic_id = $3),
  'current_version', {CURRENT},
  'firsts', (select coalesce(json_agg(json_build_array(m.item_kind, m.item_id,
                      m.first_local_date - date '0001-01-01' + 1, m.first_correct)
                      order by m.item_kind, m.item_id), '[]')
               from item_topics t join item_memory m using (user_id, item_kind, item_id)
              where t.user_id = me.user_id and t.topic_id = $3 and m.first_correct is not null
                and m.first_local_date between me.today - {FIRST_DAY_BACK} and me.today),
  'level_before', (select json_build_array(d.level_mean, d.level_variance) from topic_daily_stats d
                    where d.user_id = me.user_id and d.topic_id = $3 and d.level_mean is not null
                      and d.local_date < me.today - {FIRST_DAY_BACK}
                    order by d.local_date desc limit 1))::text
  from me
"""


Known = tuple[dict[str, Any], Catalogue]


async def overview(session: ReadSession, user_id: UUID, as_of: datetime) -> Known:
    """Every topic that the learner has touched, as mappings, with what the page's sentence needs; the catalogue."""
    found, known = await gather_known(session, _OVERVIEW, user_id, as_of)
    found["topics"] = [dict(zip(OVERVIEW_FIELDS, row, strict=True)) for row in found["topics"]]
    return found, known


async def detail(session: ReadSession, user_id: UUID, as_of: datetime, topic_id: str) -> Known:
    """One topic: its row (`row` is None where the learner has not touched it), its days, the plan and the pace.

    `firsts` are the first attempts of the trend's window: kind, item, ordinal of the day, whether right.
    """
    found, known = await gather_known(session, _DETAIL, user_id, as_of, topic_id)
    if found["row"] is not None:
        found["row"] = dict(zip(DETAIL_FIELDS, found["row"], strict=True))
    return found, known
