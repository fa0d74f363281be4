"""Reads for today's decision: what is due on which day, the first gaps, the minutes; one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.retrieval.due import SECONDS_PART
from osler.catalog.learners import ME, gather, gather_known
from osler.catalog.snapshot import Catalogue
from osler.db.engine import ReadSession

GAP_NAMES = (
    "topic_id", "state", "rank", "ranked_by", "priority_index", "points_per_hour", "mastery_low", "mastery_high",
    "blocks_count", "exam_share", "n", "as_of",
)  # fmt: skip

# The parts are shared with the dashboard's one statement.
GAPS_PART = f"""
(select coalesce(json_agg(json_build_array({", ".join("g." + name for name in GAP_NAMES)}) order by g.rank), '[]')
   from (select k.* from knowledge_gaps k where k.user_id = me.user_id and k.state <> 'closed'
          order by k.rank limit 6) g)
"""

# The night's plan, while it is of today or of tomorrow and for the exam that is set; `reviewed` of its list since.
PLANNED = """
planned as (
  select p.planned_on, p.exam_on, p.desired_retention, p.last_days_from, p.expected_recall, p.usual_recall, p.cards,
         p.unseen, p.due, p.counts, p.as_of,
         (select count(*) from unnest(p.listed) k
            join item_memory i on i.user_id = p.user_id and i.item_kind = split_part(k, '/', 2)
             and i.item_id = substr(k, length(split_part(k, '/', 1)) + length(split_part(k, '/', 2)) + 3)
           where i.last_at > p.as_of) as reviewed
    from me join study_plans p on p.user_id = me.user_id and p.planned_on between me.today and me.today + 1
    join user_exams e on e.user_id = p.user_id and e.is_current and e.exam_id = p.exam_id and e.exam_on = p.exam_on
   where p.exam_on > me.today)
"""

PLANNED_PART = "(select row_to_json(planned) from planned)"

DUE_PART = """
(select case when exists (select from planned) then '[]' else (
   select coalesce(json_agg(json_build_array(d.due_on, d.n) order by d.due_on), '[]')
     from (select greatest(i.due_on, me.today) as due_on, count(*) as n from item_memory i
            where i.user_id = me.user_id and i.due_on <= me.today + 6 group by 1) d) end)
"""

SETUP_PART = """
(select row_to_json(u) from (select e.exam_id, e.exam_on, e.minutes_per_day, e.goal_score from user_exams e
  where e.user_id = me.user_id and e.is_current) u)
"""

PLAN = f"""
with {ME}, {PLANNED}
select json_build_object('today', me.today, 'gaps', {GAPS_PART}, 'due', {DUE_PART}, 'setup', {SETUP_PART},
  'planned', {PLANNED_PART},
  'seconds_per_review', {SECONDS_PART},
  'usual_minutes', (select m.median_active_minutes from user_learning_metrics m where m.user_id = me.user_id))::text
  from me
"""


async def plan_of(s: ReadSession, user_id: UUID, as_of: datetime) -> tuple[dict[str, Any], Catalogue]:
    """What today's plan is made of, and the catalogue."""
    found, known = await gather_known(s, PLAN, user_id, as_of)
    return named(found), known


LISTED = f"""
with {ME}, {PLANNED}
select json_build_object('planned', {PLANNED_PART},
  'cards', (select coalesce(json_agg(json_build_array(k.entry, i.last_at > p.as_of) order by k.place), '[]')
     from study_plans p cross join unnest(p.listed) with ordinality k(entry, place)
     left join item_memory i on i.user_id = p.user_id and i.item_kind = split_part(k.entry, '/', 2)
      and i.item_id = substr(k.entry, length(split_part(k.entry, '/', 1)) + length(split_part(k.entry, '/', 2)) + 3)
    where p.user_id = me.user_id and exists (select from planned)))::text
  from me
"""


async def listed_for(s: ReadSession, user_id: UUID, as_of: datetime) -> dict[str, Any]:
    """The list of the day, in order, each card with whether it was reviewed since."""
    return await gather(s, LISTED, user_id, as_of)


def named(found: dict[str, Any]) -> dict[str, Any]:
    """The same with the gaps' columns by name."""
    found["gaps"] = [dict(zip(GAP_NAMES, row, strict=True)) for row in found["gaps"]]
    return found
