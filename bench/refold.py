"""How long does the live fold take to make a learner-year anew, its log read and its rows written, beside py-fsrs?

Processor time of this process, PostgreSQL's beside it; what is read and written is what the service reads and writes
when an event comes late. Run alone: `python bench/refold.py [--rounds N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import fsrs as py_fsrs
import numpy as np

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.domain.identity import new_event_id
from osler.eventlog import learner_locks
from osler.ingest.intake import ingest_events
from osler.live import learners
from osler.live.catch_up import Live
from osler.simulate.sample_class import ClassPlan, send_class
from world import World, world

ROUNDS = 7
ANSWERS, DAYS = 5_000, 365
ANSWERS_SECONDS = 0.25
EDITION = 2

Rows = dict[str, dict[str, Any]]


def measure(world: World, rounds: int = ROUNDS, days: int = DAYS) -> Rows:
    """Refolds of a year of answers alone and of one with everything that a client sends, in turns with py-fsrs."""
    return asyncio.run(_measure(world, rounds, days))


async def _measure(world: World, rounds: int, days: int) -> Rows:
    async with Database.open(world.settings) as db:
        live = Live(db, analytics())
        plain = await _answers_alone(db, world, ANSWERS * days // DAYS)
        made = await send_class(db, ClassPlan(1, days, 1.0, 11, await db.now(), edition=EDITION))
        for user_id in (plain, *made.learners):
            await live.catch_up(user_id)
        rows: Rows = {}
        for name, user_id in (("refold.answers", plain), ("refold.year", made.learners[0])):
            rows[name] = await _refolds(db, live, user_id, rounds)
            print(f"{name}: {rows[name]['seconds']} s", file=sys.stderr, flush=True)
    whole = rows["refold.answers"]
    whole |= {"target_at_most": ANSWERS_SECONDS, "met": whole["seconds"] <= ANSWERS_SECONDS}
    return rows


async def _answers_alone(db: Database, world: World, answers: int) -> UUID:
    """A learner who has answered questions every day of a year, and whose client says nothing else."""
    rng = np.random.default_rng(0)
    user_id, now = uuid4(), await db.now()
    a_day = -(-answers // DAYS)
    asked, right = rng.integers(0, len(world.questions), answers).tolist(), (rng.random(answers) < 0.65).tolist()
    events = [
        _answer(
            now - timedelta(days=DAYS - n // a_day, minutes=60 - n % a_day), world.questions[asked[n]], right=right[n]
        )
        for n in range(answers)
    ]
    for start in range(0, answers, 500):
        await ingest_events(db, events[start : start + 500], user_id)
    return user_id


def _answer(at: datetime, question: str, *, right: bool) -> dict[str, Any]:
    data = {
        "question_id": question, "answer": ["A"] if right else ["B"], "time_to_answer_seconds": 40.0, "mode": "tutor",
    }  # fmt: skip
    return {
        "id": str(new_event_id(int(at.timestamp() * 1000))), "type": "question_submit", "schema": 1,
        "occurred_at": at.isoformat(timespec="milliseconds"), "data": data,
    }  # fmt: skip


async def _refolds(db: Database, live: Live, user_id: UUID, rounds: int) -> dict[str, Any]:
    async with db.read(primary=True) as session:
        [(events, attempts)] = await session.driver().fetch(_COUNTS, user_id)
    review = _reviews(attempts)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 1):
        async with db.write(user_id=user_id, is_durable=False) as session:
            await learner_locks.hold(session.driver(), [user_id])
            row = await learners.read(session, user_id)
            began = time.process_time()
            await live.refold_in(session, user_id, row)
            mine = time.process_time() - began
        began = time.process_time()
        review()
        if number:  # the first warms both
            ours.append(mine)
            theirs.append(time.process_time() - began)
    runs = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(runs), 2), "runs": [round(run, 2) for run in runs],
        "beside": f"{attempts:,} py-fsrs review_card, one for each attempt (a share: less is better)",
        "seconds": round(statistics.median(ours), 3), "seconds_beside": round(statistics.median(theirs), 3),
        "events": events, "attempts": attempts,
    }  # fmt: skip


_COUNTS = """
select count(*), count(*) filter (where event_type in ('question_submit', 'flashcard_review'))
  from study_events where user_id = $1
"""


def _reviews(n: int) -> Callable[[], None]:
    scheduler = py_fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    start = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
    # With ids: Card() without one sleeps a millisecond, and the comparison would be unfair.
    cards = [
        py_fsrs.Card(card_id=i, state=py_fsrs.State.Review, stability=9.0, difficulty=5.0, last_review=start, due=start)
        for i in range(n)
    ]

    def run() -> None:
        for card in cards:
            scheduler.review_card(card, py_fsrs.Rating.Good, start + timedelta(days=9))

    return run


def main() -> None:
    """Measure on a world of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with world(1_000, days=5) as made:
        print(json.dumps(measure(made, chosen.rounds), indent=2))


if __name__ == "__main__":
    main()
