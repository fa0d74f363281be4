"""Reads for one learner's readiness: live topics, nightly measures, the projection, what past results taught."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from osler.catalog.learners import ME, gather
from osler.db.engine import ReadSession

FEATURES = (
    "avg_mastery_score, topics_mastered, topics_weak, accuracy_30d, study_minutes_total, first_attempt_accuracy, "
    "questions_attempted_total, days_since_start"
)
TOPIC_COLUMNS = (
    "topic_id", "attempts", "mastery", "mastery_low", "mastery_high", "skill_mean", "skill_variance", "ability_mean",
    "ability_variance", "option_count", "last_at", "as_of",
)  # fmt: skip

READINESS = f"""
with {ME}
select json_build_object(
  'today', me.today,
  'time_zone', me.time_zone,
  'topics', (select coalesce(json_agg(json_build_array({", ".join("t." + name for name in TOPIC_COLUMNS)})
               order by t.topic_id), '[]') from topic_mastery t where t.user_id = me.user_id and t.attempts > 0),
  'features', (select row_to_json(f) from (select {FEATURES} from user_learning_metrics m
               where m.user_id = me.user_id) f),
  'pace', (select row_to_json(p) from (select median_active_minutes, active_days_28d, seconds_per_answer, as_of
            from user_learning_metrics m where m.user_id = me.user_id) p),
  'projection', (select row_to_json(e) from exam_projections e where e.user_id = me.user_id),
  'setup', (select row_to_json(u) from (select e.exam_id, e.exam_on, e.minutes_per_day, e.goal_score from user_exams e
             where e.user_id = me.user_id and e.is_current) u),
  'day_start_minutes', (select day_start_minutes from users u where u.user_id = me.user_id),
  'exam_models', (select coalesce(json_agg(json_build_array(m.content->>'exam_id', m.version) order by
     m.promoted_at desc), '[]') from models m where m.task = 'exam' and m.promoted_at <= me.as_of),
  'cohort_id', (select min(c.cohort_id) from cohort_members c
     where c.user_id = me.user_id and c.role = 'learner'))::text
  from me
"""


async def readiness_of(s: ReadSession, user_id: UUID, as_of: datetime) -> dict[str, Any]:
    """What the readiness page is made of, in one round trip."""
    found = await gather(s, READINESS, user_id, as_of)
    found["topics"] = [_topic(dict(zip(TOPIC_COLUMNS, row, strict=True))) for row in found["topics"]]
    return found


def _topic(row: Mapping[str, Any]) -> dict[str, Any]:
    last_at = row["last_at"]
    return {
        **row,
        "last_at": None if last_at is None else datetime.fromisoformat(last_at),
        "as_of": datetime.fromisoformat(row["as_of"]),
    }
