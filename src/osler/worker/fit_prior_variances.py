"""How far do learners and topics lie apart here? The prior variances of the online model, fitted once a week.

They serve from the refold on where they forecast better than the start values on learners held back. The model of the
next answer is trained after them, on features that are traced under them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from osler.evaluate.prior_variances_trial import MOST_OF_ONE, Taught, VariancesTrial, tried
from osler.forecasts.parameters import EASINESS, PRIOR_VARIANCES, Fitted, ParameterStore, Parts, newest, store
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.rollups.nightly import as_of_night
from osler.science.features import Answer
from osler.worker.fit_item_easiness import ANSWERS, none_before

NAME = "fit_prior_variances"
MOST_ROWS = 300_000

# Whole learners in an order of their own, so that a cut takes none apart but the last.
_ROWS = f"""
select user_id, question_id, topic_ids, is_correct, effective_at, event_ts from (
  select a.*, row_number() over (partition by user_id order by event_ts, event_id) as place from ({ANSWERS}) a) numbered
 where place <= {MOST_OF_ONE} order by md5(user_id::text), user_id, place limit {MOST_ROWS}
"""


def prior_variances_job() -> Job:
    """The weekly job."""
    return Job(NAME, "fits how far learners and topics lie apart", _fit, cadence=Cadence.WEEKLY)


async def _fit(run: Run) -> None:
    async with run.read() as session:
        easiness = await newest(session, EASINESS)
        if easiness is None:
            await run.progress(f"{none_before(run)}: the start values serve")
            return
        parameters = await ParameterStore().of_parts(session, Parts(easiness[0]), easiness[0])
        rows: Any = await session.driver().fetch(_ROWS, as_of_night(run.day))
    if not rows:
        await run.progress(f"{none_before(run)}: the start values serve")
        return
    learners = [
        Taught(str(user_id), list(_answers(own)), parameters.encoding(user_id))
        for user_id, own in groupby(rows, key=lambda row: row["user_id"])
    ]
    # In a thread: the lease of the job is renewed meanwhile.
    trial = await asyncio.to_thread(tried, learners)
    until = max(row["event_ts"] for row in rows)
    async with run.write() as session:
        metrics: dict[str, Any] = {**(trial.metrics or {}), "reason": trial.reason}
        fit = Fitted(PRIOR_VARIANCES, _content(trial, easiness[0]), until, trial.learners, trial.rows, metrics)
        await store(session, fit, promote=trial.accepted)
    fitted = trial.parameters
    said = f"{fitted.ability_variance:.2f} and {fitted.skill_variance:.2f}: "
    await run.progress(f"{said if trial.metrics else ''}{trial.reason}", trial.rows)


def _content(trial: VariancesTrial, easiness: str) -> dict[str, Any]:
    return {
        "item_easiness": easiness,
        "accepted": trial.accepted,
        "ability_variance": trial.parameters.ability_variance,
        "skill_variance": trial.parameters.skill_variance,
    }


def _answers(rows: Iterable[Any]) -> Iterable[Answer]:
    for row in rows:
        at = row["effective_at"].timestamp()
        yield Answer(row["question_id"], tuple(row["topic_ids"]), bool(row["is_correct"]), at)
