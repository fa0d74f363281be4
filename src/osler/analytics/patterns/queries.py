"""Reads for one learner's patterns: rows made at night, and the days of five weeks; one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.catalog.learners import ME, gather
from osler.db.engine import ReadSession

PATTERNS = f"""
with {ME}
select json_build_object(
  'today', me.today,
  'habits', (select row_to_json(h) from learner_habits h where h.user_id = me.user_id),
  'insights', (select coalesce(json_agg(row_to_json(i) order by i.insight), '[]') from learner_insights i
               where i.user_id = me.user_id),
  'metrics', (select row_to_json(m) from (select active_days_28d, streak_days, median_active_minutes, as_of
               from user_learning_metrics u where u.user_id = me.user_id) m),
  'days', (select coalesce(json_agg(json_build_array(d.local_date, d.active_seconds / 60, d.questions, d.reviews,
             d.sessions) order by d.local_date), '[]') from daily_user_stats d
           where d.user_id = me.user_id and d.local_date > me.today - 63 and d.local_date <= me.today))::text
  from me
"""


async def patterns_of(s: ReadSession, user_id: UUID, as_of: datetime) -> dict[str, Any]:
    """What the habits page is made of."""
    return await gather(s, PATTERNS, user_id, as_of)
