"""How fast is a topic learnt? γ by topic, fitted once a week, and whether it forecasts forward in time.

It is served by time to mastery only where it wins there; else the start value is, and the answer says which. Who is
alone on an installation has a γ of their own; else it takes twenty learners, of whom nobody makes up more than a tenth.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any

import msgspec
import numpy as np

from osler.db.session import ReadSession
from osler.evaluate import next_answer_practice
from osler.evaluate.next_answer_data import LOG, Answers, coded
from osler.evaluate.next_answer_logs import Row
from osler.evaluate.next_answer_models import MIN_LEARNERS, MIN_ROWS
from osler.forecasts.parameters import LEARNING_RATE, Fitted, LearningRates, store
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.rollups.nightly import as_of_night
from osler.science.learning_rate import DEFAULT_GAMMA, shrunk_gammas
from osler.science.voices import most_of_one
from osler.worker.told import ANSWERS, none_before

NAME = "fit_learning_rate"
MOST_ROWS = 500_000

# Whole learners in an order of their own, so that a cut takes none apart.
_ROWS = f"select * from ({ANSWERS}) answers order by md5(user_id::text), user_id, event_ts, event_id limit {MOST_ROWS}"
_PARENTS = "select topic_id, parent_id from topics"


def learning_rate_job() -> Job:
    """The weekly job."""
    return Job(NAME, "fits how fast topics are learnt", _fit, cadence=Cadence.WEEKLY)


async def _fit(run: Run) -> None:
    async with run.read() as session:
        rows: Any = await session.driver().fetch(_ROWS, as_of_night(run.day))
        parents = await _parents(session)
    if not rows:
        await run.progress(f"{none_before(run)}; the start value {DEFAULT_GAMMA} serves")
        return
    newest_at = max(row["event_ts"] for row in rows)
    rows = evened(rows)
    rates, metrics = await asyncio.to_thread(_rates, rows, parents)
    async with run.write() as session:
        learners = len({row["user_id"] for row in rows})
        fit = Fitted(LEARNING_RATE, msgspec.to_builtins(rates), newest_at, learners, len(rows), metrics)
        await store(session, fit, promote=rates.wins)
    said = "wins forward in time" if rates.wins else "the start value serves: " + metrics.get("reason", "")
    await run.progress(f"γ {rates.gamma:.2f} {said}", len(rows))


async def _parents(session: ReadSession) -> dict[str, str | None]:
    found: Any = await session.driver().fetch(_PARENTS)
    return {row["topic_id"]: row["parent_id"] for row in found}


def evened(rows: list[Any]) -> list[Any]:
    """The first answers of each learner, so many that nobody is more than a tenth; who is alone, in full."""
    own = [list(of_one) for _, of_one in groupby(rows, key=lambda row: row["user_id"])]
    most = len(rows) if len(own) == 1 else int(most_of_one([len(of_one) for of_one in own]))
    return [row for of_one in own for row in of_one[:most]]


def _rates(rows: list[Any], parents: dict[str, str | None]) -> tuple[LearningRates, dict[str, Any]]:
    learners = len({row["user_id"] for row in rows})
    if len(rows) < MIN_ROWS or 1 < learners < MIN_LEARNERS:
        needed = f"{MIN_ROWS} of {MIN_LEARNERS} learners, or of one alone"
        return LearningRates(), {"reason": f"too few: {len(rows)} answers of {learners} learners; needed {needed}"}
    answers = _answers(rows)
    found = next_answer_practice.check(answers, np.ones(answers.item.size, dtype=np.bool_), seed=0)
    if found is None:
        return LearningRates(), {"reason": "too few later answers"}
    fitted = {answers.topics[k]: of_topic for k, of_topic in next_answer_practice.fit_gammas(answers).items()}
    rates = LearningRates(gamma=found.gamma, wins=found.wins, topics=shrunk_gammas(fitted, parents, found.gamma))
    return rates, next_answer_practice.as_section(found)


def _answers(rows: list[Any]) -> Answers:
    """The answers as the backtest has them, learner by learner in order of time."""
    listed = [
        Row(
            str(row["user_id"]), row["question_id"], tuple(row["topic_ids"]), float(row["is_correct"]),
            row["effective_at"].timestamp(), str(row["event_id"]),
        )
        for row in rows
    ]  # fmt: skip
    return coded(listed, LOG, is_log=True, dropped={})
