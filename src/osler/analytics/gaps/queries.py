"""Reads of gaps for one learner: what was ranked at night, with today's live mastery beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.catalog.learners import ME, gather_known
from osler.catalog.snapshot import Catalogue
from osler.db.engine import ReadSession

COLUMNS = (
    "topic_id, state, rank, ranked_by, severity, is_provisional, gap_score, priority_score, priority_index, n, "
    "mastery, mastery_low, mastery_high, board_exam_weight, exam_share, prerequisite_impact, recent_failure_rate, "
    "blocks_count, "
    "blocks_count_all, estimated_hours, hours_low, hours_high, points_per_hour, points_per_hour_low, recommended_path, "
    "recommended_materials, opened_on, mastery_at_open, target, progress, as_of, model_version"
)
NAMES = [name.strip() for name in COLUMNS.split(",")]
# Beside the night's row, as of now: whether a question tells of the topic, or its cards alone.
LIVE = ("questions_attempted", "retrieval_strength", "retrieval_low", "retrieval_high")
_SHOWN = ", ".join([*(f"g.{name}" for name in NAMES), *(f"m.{name}" for name in LIVE)])

GAPS = f"""
with {ME}
select json_build_object(
  'today', (select today from me),
  'exam_on', (select e.exam_on from me join user_exams e on e.user_id = me.user_id and e.is_current),
  'minutes_a_day', coalesce(
     (select sum(m) / 7.0 from me join user_exams e on e.user_id = me.user_id and e.is_current,
             unnest(e.minutes_per_day) as m),
     (select sum(d.active_seconds) / 60 / 28 from me join daily_user_stats d on d.user_id = me.user_id
         and d.local_date > me.today - 28 and d.local_date <= me.today)),
  'counts', (select coalesce(json_object_agg(state, n), '{{}}') from (
     select state, count(*) as n from knowledge_gaps g join me using (user_id) group by 1) c),
  'gaps', (select coalesce(json_agg(json_build_array({_SHOWN})
                                    order by g.rank), '[]')
     from (select k.* from knowledge_gaps k join me using (user_id)
            where k.state = any($3::text[]) order by k.rank limit $4) g
     left join topic_mastery m on m.user_id = g.user_id and m.topic_id = g.topic_id))::text
"""

GRAPH = f"""
with {ME}
select json_build_object(
  'today', (select today from me),
  'topics', (select coalesce(json_agg(json_build_array(g.topic_id, g.state, g.mastery, g.mastery_low, g.mastery_high,
     g.n, g.rank, g.as_of) order by g.rank), '[]') from knowledge_gaps g join me using (user_id)))::text
"""


Known = tuple[dict[str, Any], Catalogue]


async def gaps_of(s: ReadSession, user_id: UUID, as_of: datetime, *, states: list[str], limit: int) -> Known:
    """The first gaps in the order of work, how many there are of each state, and the catalogue."""
    found, known = await gather_known(s, GAPS, user_id, as_of, states, limit)
    found["gaps"] = [dict(zip((*NAMES, *LIVE), row, strict=True)) for row in found["gaps"]]
    return found, known


async def graph_of(s: ReadSession, user_id: UUID, as_of: datetime) -> Known:
    """Where the learner stands on every topic of the graph, and the catalogue."""
    return await gather_known(s, GRAPH, user_id, as_of)
