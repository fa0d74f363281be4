"""What the gaps of many learners are computed from, read set-based: one statement for each kind of fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.gaps.model import RECENT_ATTEMPTS, RECENT_DAYS
from osler.catalog.learners import LearnerSetup, setups
from osler.catalog.snapshot import Catalogue
from osler.db.engine import ReadSession

DEFAULT_SECONDS_PER_ATTEMPT = 60.0
_KEPT = "gaps.materials"

# The last 20 answers of 30 days on each topic. A question on several topics counts for each.
RECENT = """
with m as (select * from unnest(cast(:users as uuid[]), cast(:as_of as timestamptz[])) as m(user_id, as_of)),
regraded as (
  select r.user_id, (r.data->>'attempt_event_id')::uuid as event_id,
         (array_agg((r.data->>'is_correct')::boolean order by (r.data->>'key_version')::int desc))[1] as is_correct
    from m join study_events r on r.user_id = m.user_id and r.event_type = 'question_regrade' and r.event_ts <= m.as_of
   where (select exists (select 1 from questions where key_version > 1)) and r.event_ts >= :low
   group by 1, 2)
select user_id, topic_id, count(*) as n, count(*) filter (where not is_right) as wrong
  from (
    select a.user_id, t.topic_id, coalesce(g.is_correct, a.is_correct, a.rating >= 2) as is_right,
           row_number() over (partition by a.user_id, t.topic_id order by a.event_ts desc, a.event_id desc) as place
      from m
      join question_attempts a on a.user_id = m.user_id and a.event_ts <= m.as_of
           and a.effective_at > m.as_of - make_interval(days => :days)
      join item_topics t on t.user_id = a.user_id and t.item_id = coalesce(a.question_id, a.card_id)
           and t.item_kind = case when a.card_id is null then 'question' else 'card' end
      left join regraded g on g.user_id = a.user_id and g.event_id = a.event_id
     where a.event_ts >= :low and coalesce(g.is_correct, a.is_correct, a.rating >= 2) is not null) as newest
 where place <= :attempts
 group by 1, 2
"""

# The first day of the present gap: the first measured day after the last one on which the topic was mastered.
OPENED = """
with measured as (
  select user_id, topic_id, local_date, mastery,
         max(local_date) filter (where mastery >= :mastered and mastery_low >= :mastered_low)
           over (partition by user_id, topic_id) as closed_on
    from topic_daily_stats
   where user_id = any(cast(:users as uuid[])) and mastery is not null and attempts_to_date >= :attempts)
select distinct on (user_id, topic_id) user_id, topic_id, local_date, mastery
  from measured where closed_on is null or local_date > closed_on
 order by user_id, topic_id, local_date
"""

DUE = """
with m as (select * from unnest(cast(:users as uuid[]), cast(:today as date[])) as m(user_id, today))
select i.user_id, t.topic_id, count(*) as due
  from m join item_memory i on i.user_id = m.user_id and i.due_on <= m.today
  join item_topics t on t.user_id = i.user_id and t.item_kind = i.item_kind and t.item_id = i.item_id
 group by 1, 2
"""

PACE = """
with m as (select * from unnest(cast(:users as uuid[]), cast(:today as date[])) as m(user_id, today))
select d.user_id, sum(d.answer_seconds order by d.local_date) / nullif(sum(d.questions + d.reviews), 0) as seconds
  from m join daily_user_stats d on d.user_id = m.user_id and d.local_date between m.today - 89 and m.today
 group by 1
"""

MASTERY = """
select user_id, topic_id, attempts, mastery_score, mastery, mastery_low, mastery_high, skill_mean, skill_variance,
       ability_mean, ability_variance, option_count
  from topic_mastery where user_id = any(cast(:users as uuid[])) order by user_id, topic_id
"""

READ = """
select user_id, material_id from material_progress
 where user_id = any(cast(:users as uuid[])) and completed_at is not null
"""

MATERIALS = """
select material_id, topic_ids, coalesce(expected_minutes, 30) as minutes, is_required from materials
 where topic_ids <> '{}' order by is_required desc, expected_minutes nulls last, material_id
"""


@dataclass(frozen=True, slots=True)
class Material:
    """A material that could close a gap."""

    material_id: str
    minutes: float
    is_required: bool


@dataclass(slots=True)
class LearnerFacts:
    """What is known of one learner as of the moment; maps are by topic. `recent` is (wrong, n)."""

    setup: LearnerSetup
    today: date
    mastery: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    recent: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    opened: dict[str, tuple[date, float]] = field(default_factory=dict[str, tuple[date, float]])
    due: dict[str, int] = field(default_factory=dict[str, int])
    read: set[str] = field(default_factory=set[str])
    seconds_per_attempt: float = DEFAULT_SECONDS_PER_ATTEMPT


async def facts_of(s: ReadSession, moments: Moments, target: tuple[float, float, int]) -> dict[UUID, LearnerFacts]:
    """The facts of these learners; `target` is mastered, its lower bound, and the answers that it takes to say so."""
    settings = await setups(s, moments.user_ids)
    todays = [settings[u].today(at) for u, at in zip(moments.user_ids, moments.as_of, strict=True)]
    facts = {u: LearnerFacts(settings[u], day) for u, day in zip(moments.user_ids, todays, strict=True)}
    users = {"users": list(moments.user_ids)}
    by_day = {**users, "today": todays}
    low = min(moments.as_of) - timedelta(days=RECENT_DAYS + 3)
    recent = {**users, "as_of": list(moments.as_of), "days": RECENT_DAYS, "attempts": RECENT_ATTEMPTS, "low": low}
    opened = {**users, "mastered": target[0], "mastered_low": target[1], "attempts": target[2]}
    for row in await s.rows(sa.text(MASTERY), users):
        facts[row["user_id"]].mastery[row["topic_id"]] = {str(k): v for k, v in row.items()}
    for row in await s.rows(sa.text(RECENT), recent):
        facts[row["user_id"]].recent[row["topic_id"]] = (row["wrong"], row["n"])
    for row in await s.rows(sa.text(OPENED), opened):
        facts[row["user_id"]].opened[row["topic_id"]] = (row["local_date"], row["mastery"])
    for row in await s.rows(sa.text(DUE), by_day):
        facts[row["user_id"]].due[row["topic_id"]] = row["due"]
    for row in await s.rows(sa.text(READ), users):
        facts[row["user_id"]].read.add(row["material_id"])
    for row in await s.rows(sa.text(PACE), by_day):
        if row["seconds"]:
            facts[row["user_id"]].seconds_per_attempt = max(1.0, float(row["seconds"]))
    return facts


async def materials_by_topic(s: ReadSession, known: Catalogue) -> Mapping[str, Sequence[Material]]:
    """The catalogue's materials by topic: required first, then the shortest. Kept with it, as a night asks often."""
    rows = [] if known.has_made(_KEPT) else await s.tuples(sa.text(MATERIALS))
    return known.made(_KEPT, lambda _: _by_topic(rows))


def _by_topic(rows: Sequence[tuple[Any, ...]]) -> Mapping[str, Sequence[Material]]:
    found: dict[str, list[Material]] = defaultdict(list)
    for material_id, topic_ids, minutes, is_required in rows:
        for topic in topic_ids:
            found[topic].append(Material(material_id, minutes, is_required))
    return found
