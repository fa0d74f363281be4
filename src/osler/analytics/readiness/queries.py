"""Reads for one learner's readiness: live topics, nightly measures, the projection, what past results taught."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.readiness.gather import TOPIC_ARRAYS, Ground, ground_at, topic_rows
from osler.catalog.classes import CLASS_OF
from osler.catalog.learners import ME, gather_known
from osler.db.engine import ReadSession
from osler.forecasts.parameters import CURRENT

FEATURES = (
    "avg_mastery_score, topics_mastered, topics_weak, accuracy_30d, study_minutes_total, first_attempt_accuracy, "
    "questions_attempted_total, days_since_start"
)

READINESS = f"""
with {ME}
select json_build_object(
  'today', me.today,
  'parameters', {CURRENT},
  'time_zone', me.time_zone,
  'topics', (select json_build_array({TOPIC_ARRAYS}) from topic_mastery t
              where t.user_id = me.user_id and t.attempts > 0),
  'features', (select row_to_json(f) from (select {FEATURES} from user_learning_metrics m
               where m.user_id = me.user_id) f),
  'pace', (select row_to_json(p) from (select median_active_minutes, active_days_28d, active_seconds_90d,
            questions_90d, as_of from user_learning_metrics m where m.user_id = me.user_id) p),
  'projection', (select row_to_json(e) from exam_projections e where e.user_id = me.user_id),
  'setup', (select row_to_json(u) from (select e.exam_id, e.exam_on, e.minutes_per_day, e.goal_score from user_exams e
             where e.user_id = me.user_id and e.is_current) u),
  'day_start_minutes', (select day_start_minutes from users u where u.user_id = me.user_id),
  'exam_models', (select coalesce(json_agg(json_build_array(m.content->>'exam_id', m.version) order by
     m.promoted_at desc), '[]') from models m where m.task = 'exam' and m.promoted_at is not null),
  'cohort_id', {CLASS_OF.format(user_id="me.user_id")})::text
  from me
"""


async def readiness_of(s: ReadSession, user_id: UUID, as_of: datetime) -> tuple[dict[str, Any], Ground]:
    """What the readiness page is made of, in one round trip."""
    found, known = await gather_known(s, READINESS, user_id, as_of)
    found["topics"] = topic_rows(found["topics"])
    return found, await ground_at(s, known, found["parameters"])
