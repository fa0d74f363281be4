"""Reads of published figures. Nothing of a single other learner can be asked here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.catalog.learners import ME, gather
from osler.db.engine import ReadSession
from osler.http.policy import Reach

# Whose classes may be asked for: a learner's own after opting in, an educator's own, anybody's for those who may.
COHORTS = """
select c.cohort_id, c.name, m.role from cohorts c
  left join cohort_members m on m.cohort_id = c.cohort_id and m.user_id = :user_id
       and m.since_on <= current_date and coalesce(m.until_on, 'infinity'::date) > current_date
  left join users u on u.user_id = :user_id
 where (:all or m.role = 'educator' or (m.role = 'learner' and u.consents->>'cohort' is not null))
   and (cast(:cohort as text) is null or c.cohort_id = :cohort)
 order by c.cohort_id limit 1
"""

FIGURES = f"""
with {ME},
newest as (select max(week_on) as week_on from cohort_stats where cohort_id = $3)
select json_build_object(
  'today', me.today,
  'week_on', (select week_on from newest),
  'figures', (select coalesce(json_agg(json_build_array(s.measure, s.topic_id, s.value, s.n, s.detail, s.suppressed,
       s.published_at) order by s.measure, s.topic_id), '[]')
      from cohort_stats s join newest n using (week_on) where s.cohort_id = $3
       and (cast($4 as text) is null or s.topic_id in ($4, ''))),
  'weeks', (select coalesce(json_agg(json_build_array(s.week_on, s.value, s.n, s.detail) order by s.week_on), '[]')
      from cohort_stats s where s.cohort_id = $3 and s.topic_id = '' and s.measure = 'score'),
  'own', (select json_build_array(p.score / 100, p.score_low / 100, p.score_high / 100, p.exam_id)
      from exam_projections p where p.user_id = me.user_id and p.score is not null),
  'minutes', (select coalesce(json_object_agg(topic_id, minutes), '{{}}') from (
      select d.topic_id, sum(d.answer_seconds + d.reading_seconds) / 60 as minutes from topic_daily_stats d
       where d.user_id = me.user_id and d.local_date > me.today - 28 group by 1) t))::text
  from me
"""

LEARNERS = """
select m.user_id, p.status, p.score, p.score_low, p.score_high, p.coverage, l.active_days_28d, l.topics_weak,
       least(p.as_of, l.as_of) as as_of, 100 * e.cut as pass_line
  from cohort_members m
  left join exam_projections p using (user_id) left join user_learning_metrics l using (user_id)
  left join exams e on e.exam_id = p.exam_id
 where m.cohort_id = :cohort and m.role = 'learner' and m.since_on <= current_date
   and coalesce(m.until_on, 'infinity'::date) > current_date
 order by p.score nulls last, m.user_id
"""


async def cohort_for(s: ReadSession, user_id: UUID, reach: Reach, cohort_id: str | None) -> dict[str, Any] | None:
    """The class that the caller may ask for: the named one, else their first; None for none."""
    given = {"user_id": user_id, "all": reach is Reach.ALL, "cohort": cohort_id}
    row = await s.one(sa.text(COHORTS), given)
    return None if row is None else {str(name): value for name, value in row.items()}


async def figures_of(
    s: ReadSession, user_id: UUID, as_of: datetime, cohort_id: str, topic_id: str | None = None
) -> dict[str, Any]:
    """The newest published week of a class, its history, and the caller's own standing."""
    return await gather(s, FIGURES, user_id, as_of, cohort_id, topic_id)


async def learners_of(s: ReadSession, cohort_id: str) -> Sequence[sa.RowMapping]:
    """An educator's own learners as of the last night; the session must have no learner set, and the right be known."""
    return await s.rows(sa.text(LEARNERS), {"cohort": cohort_id})
