"""How fast is the nightly `daily_stats`, beside one plain INSERT … SELECT … GROUP BY of the same rows?

The job runs as the product runs it: claimed, fenced, in chunks, each day's sessions, first attempts and hours counted.
Beside it: one statement that counts the log and its typed bodies by day into a temporary table, nothing else.
Run alone: `python bench/jobs.py [--events N] [--rounds N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from typing import Any

from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.worker.night import night_of
from world import World, world

JOB = "daily_stats"
ROUNDS = 5
TARGET = 0.5
BESIDE = "one INSERT … SELECT … GROUP BY of the same learner-days, log and typed bodies, into a temporary table"

MARK = """
insert into stale_days (user_id, job, local_date)
select user_id, $1, local_date from daily_user_stats where user_id = any($2::uuid[])
"""
# The same columns, as far as one GROUP BY can count them: no sessions, no first attempts, no hours, no corrected keys.
PLAIN = """
insert into plain_days
select e.user_id, e.local_date, count(*), count(a.question_id), count(*) filter (where a.is_correct),
       count(a.card_id), count(*) filter (where a.rating >= 2), sum(least(a.time_to_answer_seconds, 600)),
       count(distinct m.material_id), count(*) filter (where e.event_type = 'note_taken'), max(e.event_ts)
  from study_events e
  left join question_attempts a on a.user_id = e.user_id and a.event_ts = e.event_ts and a.event_id = e.event_id
  left join material_interactions m on m.user_id = e.user_id and m.event_ts = e.event_ts and m.event_id = e.event_id
 where e.user_id = any($1::uuid[]) group by 1, 2
"""
LOG_ALONE = """
insert into plain_days (user_id, local_date, events, notes, as_of)
select user_id, local_date, count(*), count(*) filter (where event_type = 'note_taken'), max(event_ts)
  from study_events where user_id = any($1::uuid[]) group by 1, 2
"""
PLAIN_TABLE = """
create temp table plain_days (user_id uuid, local_date date, events bigint, questions bigint, correct bigint,
  reviews bigint, passed bigint, answer_seconds float8, materials bigint, notes bigint, as_of timestamptz)
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


def main() -> None:
    """Measure on a world of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with world(chosen.events) as made:
        print(json.dumps(measure(made, chosen.rounds, chosen.events), indent=2))


if __name__ == "__main__":
    main()
