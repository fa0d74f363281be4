"""How fast is the nightly `daily_stats`, beside one plain INSERT … SELECT … GROUP BY of the same rows?

The job runs as the product runs it: claimed, fenced, in chunks, the days that a change touches found first, old rows
deleted, regraded answers looked for. Beside it stands one statement that fills a temporary table of the same columns
for the same learner-days, without any of that. "The same rows" is taken at its word: after the last round both tables
are compared, column by column, and a difference ends the bench. A row of the day holds sessions, seconds of study,
first attempts, hours and materials, so the plain statement has to read what they are in; one that reads the log alone
leaves sixteen of twenty columns empty. That ratio, to a statement with less than a tenth of the work, is told too
(`ratio_against_the_log_alone`), but it is not what the target speaks of.

Run alone: `python bench/jobs.py [--events N] [--rounds N]`.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any

from command import on_a_world
from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.worker.night import night_of
from world import World

JOB = "daily_stats"
ROUNDS = 5
TARGET = 0.5
BESIDE = "one INSERT … SELECT … GROUP BY that makes the same rows with the same columns, into a temporary table"

MARK = """
insert into stale_days (user_id, job, local_date)
select user_id, $1, local_date from daily_user_stats where user_id = any($2::uuid[])
"""
COLUMNS = """
user_id, local_date, events, sessions, active_seconds, total_seconds, questions, correct, reviews, reviews_passed,
first_attempts, first_correct, answer_seconds, materials, notes, interruptions, materials_completed, coach_messages,
hours, as_of
"""
PLAIN = f"""
insert into plain_days ({COLUMNS})
select l.user_id, l.local_date, l.events, coalesce(t.sessions, 0), coalesce(t.active, 0), coalesce(t.total, 0),
       coalesce(a.questions, 0), coalesce(a.correct, 0), coalesce(a.reviews, 0), coalesce(a.passed, 0),
       coalesce(f.first_attempts, 0), coalesce(f.first_correct, 0), coalesce(a.seconds, 0), coalesce(m.materials, 0),
       l.notes, coalesce(t.interruptions, 0), coalesce(m.completed, 0), l.coach, coalesce(a.hours, '{{}}'), l.as_of
  from (select user_id, local_date, count(*) as events, max(event_ts) as as_of,
               count(*) filter (where event_type = 'note_taken' and data->>'action' = 'create') as notes,
               count(*) filter (where event_type = 'coach_message' and data->>'role' = 'learner') as coach
          from study_events where user_id = any($1::uuid[]) and event_type <> 'api_request' group by 1, 2) l
  left join (
       select user_id, local_date, sum(questions) as questions, sum(correct) as correct,
              sum(n - questions) as reviews, sum(passed) as passed, sum(seconds) as seconds,
              jsonb_object_agg(hour, jsonb_build_array(n, right_ones)) as hours
         from (select user_id, local_date, extract(hour from effective_at at time zone 'UTC'
                      + make_interval(mins => utc_offset_minutes)) as hour, count(*) as n,
                      count(question_id) as questions,
                      count(*) filter (where card_id is null and is_correct) as correct,
                      count(*) filter (where rating >= 2) as passed,
                      count(*) filter (where coalesce(is_correct, rating >= 2)) as right_ones,
                      sum(least(time_to_answer_seconds, 600)) as seconds
                 from question_attempts where user_id = any($1::uuid[]) group by 1, 2, 3) h
        group by 1, 2) a using (user_id, local_date)
  left join (
       select user_id, local_date, count(distinct material_id) as materials,
              count(distinct material_id) filter (where event_type = 'material_complete') as completed
         from material_interactions where user_id = any($1::uuid[]) group by 1, 2) m using (user_id, local_date)
  left join (
       select user_id, first_local_date as local_date, count(*) as first_attempts,
              count(*) filter (where first_correct) as first_correct
         from item_memory where user_id = any($1::uuid[]) and item_kind = 'question' group by 1, 2) f
       using (user_id, local_date)
  left join (
       select s.user_id, d.key::date as local_date, count(*) filter (where s.local_date = d.key::date) as sessions,
              sum(s.interruptions) filter (where s.local_date = d.key::date) as interruptions,
              sum((d.value->>0)::float8) as active, sum((d.value->>1)::float8) as total
         from study_sessions s, jsonb_each(s.days) d where s.user_id = any($1::uuid[]) group by 1, 2) t
       using (user_id, local_date)
"""
LOG_ALONE = """
insert into plain_days (user_id, local_date, events, notes, as_of)
select user_id, local_date, count(*), count(*) filter (where event_type = 'note_taken'), max(event_ts)
  from study_events where user_id = any($1::uuid[]) group by 1, 2
"""
PLAIN_TABLE = "create temp table plain_days (like daily_user_stats including defaults)"
# Seconds are floats, added in whatever order: equal to the millisecond.
_SAME = (
    COLUMNS.replace("active_seconds", "round(active_seconds::numeric, 3)")
    .replace("total_seconds", "round(total_seconds::numeric, 3)")
    .replace("answer_seconds", "round(answer_seconds::numeric, 3)")
)
DIFFERENT = f"""
select (select count(*) from (select {_SAME} from daily_user_stats where user_id = any($1::uuid[])
                              except select {_SAME} from plain_days) x)
     + (select count(*) from (select {_SAME} from plain_days
                              except select {_SAME} from daily_user_stats where user_id = any($1::uuid[])) y)
"""


def measure(world: World, rounds: int = ROUNDS, events: int = 1_000_000) -> dict[str, dict[str, Any]]:
    """The job over all days of as many learners as have that many events, and the plain statement, in turns."""
    return {"jobs.daily": asyncio.run(_measure(world, rounds, events))}


async def _measure(world: World, rounds: int, events: int) -> dict[str, Any]:
    learners = list(world.learners[: max(1, events // world.events_a_learner)])
    admin: Any = await connect_plainly(world.admin_url)
    runs: list[float] = []
    against_log: list[float] = []
    mine: list[float] = []
    days = 0
    try:
        await admin.execute(PLAIN_TABLE)
        async with Database.open(world.settings) as db:
            for number in range(rounds + 1):
                days = int((await admin.execute(MARK, JOB, learners)).split()[-1])
                job = await _job(db)
                plain, log_alone = await _plain(admin, PLAIN, learners), await _plain(admin, LOG_ALONE, learners)
                if number:  # the first warms both
                    runs.append(plain / job)
                    against_log.append(log_alone / job)
                    mine.append(job)
                    print(f"jobs: {days} days, {job:.2f} s, plain {plain:.2f} s", file=sys.stderr, flush=True)
        await _plain(admin, PLAIN, learners)
        if different := await admin.fetchval(DIFFERENT, learners):
            raise RuntimeError(f"{different} rows differ: the plain statement does not make the rows of the job")
    finally:
        await admin.close()
    ratio = statistics.median(runs)
    return {
        "ratio": round(ratio, 2), "target": TARGET, "met": ratio >= TARGET, "runs": [round(run, 2) for run in runs],
        "beside": BESIDE, "ratio_against_the_log_alone": round(statistics.median(against_log), 2),
        "seconds": round(statistics.median(mine), 2), "learner_days": days,
        "events": len(learners) * world.events_a_learner,
    }  # fmt: skip


async def _job(db: Database) -> float:
    began = time.perf_counter()
    await night_of(db).run(JOB, again=True)
    return time.perf_counter() - began


async def _plain(admin: Any, statement: str, learners: list[Any]) -> float:
    await admin.execute("truncate plain_days")
    began = time.perf_counter()
    await admin.execute(statement, learners)
    return time.perf_counter() - began


if __name__ == "__main__":
    on_a_world(measure, __doc__, rounds=ROUNDS)
