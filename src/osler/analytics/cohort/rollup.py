"""Publishes each class's closed week once: frozen from then on, whoever joins, leaves or is erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from osler.analytics.cohort.model import Peer
from osler.analytics.cohort.publish import TopicFacts, score_figures, topic_figures
from osler.analytics.cohort.tables import cohort_stats
from osler.db.engine import Database, ReadSession
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.observe.keys import secret_key
from osler.science.disclosure import Gate

KEY = "cohort"

OPEN_COHORTS = """
select c.cohort_id from cohorts c
 where not exists (select 1 from cohort_stats s where s.cohort_id = c.cohort_id and s.week_on = :week)
 order by 1
"""

# Members of the week who have agreed to be counted. Only folded states, no answer and no event is read.
MEMBERS = """
with members as (
  select m.user_id from cohort_members m join users u using (user_id)
   where m.cohort_id = :cohort and m.role = 'learner' and m.since_on <= :until
     and coalesce(m.until_on, 'infinity'::date) > :week and u.consents->>'cohort' is not null)
"""

TOPICS = (
    MEMBERS
    + """,
studied as (
  select d.user_id, d.topic_id, d.local_date, d.mastery, d.mastery_low,
         sum(d.answer_seconds + d.reading_seconds) over (
           partition by d.user_id, d.topic_id order by d.local_date) / 3600 as hours
    from members join topic_daily_stats d using (user_id) where d.local_date <= :until),
reached as (
  select user_id, topic_id, max(hours) as hours,
         min(hours) filter (where mastery >= 0.8 and mastery_low >= 0.7) as mastered
    from studied group by 1, 2)
select t.topic_id, t.user_id, t.skill_mean + t.ability_mean as level,
       t.skill_variance + t.ability_variance as variance,
       t.option_count, t.attempts, t.first_attempts, t.first_correct, coalesce(r.mastered, r.hours, 0) as hours,
       r.mastered is not null as is_mastered
  from members join topic_mastery t using (user_id) left join reached r using (user_id, topic_id)
 order by t.topic_id, t.user_id
"""
)

SCORES = (
    MEMBERS
    + """
select p.user_id, p.exam_id, p.score, p.score_low, p.score_high
  from members join exam_projections p using (user_id)
 where p.score is not null order by 1
"""
)


async def publish_week(db: Database, day: date, as_of: datetime) -> None:
    """Publish the newest closed week of every class that has none for it yet."""
    week = day - timedelta(days=day.weekday() + 7)
    gate = Gate(secret_key(db.settings.home, KEY))
    async with db.read(primary=True) as s:
        cohorts = [row["cohort_id"] for row in await s.rows(sa.text(OPEN_COHORTS), {"week": week})]
    for cohort_id in cohorts:
        async with db.write(statement_timeout_seconds=db.settings.job_statement_timeout_seconds) as s:
            figures = await figures_of(s, gate, cohort_id, week)
            rows = [{**figure, "cohort_id": cohort_id, "week_on": week, "published_at": as_of} for figure in figures]
            await s.execute(sa.insert(cohort_stats), rows)


async def figures_of(s: ReadSession, gate: Gate, cohort_id: str, week: date) -> list[dict[str, Any]]:
    """All figures of one class and week."""
    given = {"cohort": cohort_id, "week": week, "until": week + timedelta(days=6)}
    store = ParameterStore()
    parameters = await store.get(s, await store.current_version(s))
    peers = [_peer(row) for row in await s.rows(sa.text(SCORES), given)]
    figures = score_figures(gate, peers)
    rows = await s.rows(sa.text(TOPICS), given)
    for topic_id, own in groupby(rows, key=lambda row: row["topic_id"]):
        figures += topic_figures(gate, topic_id, [_facts(row, parameters) for row in own])
    return figures


def _peer(row: Mapping[Any, Any]) -> Peer:
    return Peer(
        user_id=str(row["user_id"]),
        exam_id=row["exam_id"],
        curriculum="",
        weeks_to_exam=0.0,
        days_since_active=0,
        first_attempts=0,
        score=row["score"] / 100,
        score_low=row["score_low"] / 100,
        score_high=row["score_high"] / 100,
    )


def _facts(row: Mapping[Any, Any], parameters: Parameters) -> TopicFacts:
    return TopicFacts(
        user_id=str(row["user_id"]),
        eta=parameters.of_topic(row["topic_id"]) + row["level"],
        variance=row["variance"],
        option_count=row["option_count"],
        attempts=row["attempts"],
        first_attempts=row["first_attempts"],
        first_correct=row["first_correct"],
        hours=float(row["hours"]),
        is_mastered=row["is_mastered"],
    )
