"""How far do learners and topics lie apart here? The prior variances of the online model, fitted once a week.

They serve from the refold on where they forecast better than the start values on learners held back. The model of the
next answer is trained after them, on features that are traced under them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from osler.evaluate.prior_variances_trial import VariancesTrial, tried
from osler.forecasts.parameters import (
    EASINESS,
    PRIOR_VARIANCES,
    START_VERSION,
    Fitted,
    ParameterStore,
    Parts,
    accepted,
    store,
)
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.rollups.nightly import as_of_night
from osler.worker.told import FIRST_ANSWERS, none_before, taught

NAME = "fit_prior_variances"


def prior_variances_job() -> Job:
    """The weekly job."""
    return Job(NAME, "fits how far learners and topics lie apart", _fit, cadence=Cadence.WEEKLY)


async def _fit(run: Run) -> None:
    async with run.read() as session:
        easiness = await accepted(session, EASINESS)
        parameters = await ParameterStore().of_parts(session, Parts(easiness), easiness or START_VERSION)
        rows: Any = await session.driver().fetch(FIRST_ANSWERS, as_of_night(run.day))
    if not rows:
        await run.progress(f"{none_before(run)}: the start values serve")
        return
    learners = taught(rows, parameters.encoding)
    # In a thread: the lease of the job is renewed meanwhile.
    trial = await asyncio.to_thread(tried, learners)
    until = max(row["event_ts"] for row in rows)
    async with run.write() as session:
        metrics: dict[str, Any] = {**(trial.metrics or {}), "reason": trial.reason}
        fit = Fitted(PRIOR_VARIANCES, _content(trial, easiness), until, trial.learners, trial.rows, metrics)
        await store(session, fit, promote=trial.accepted)
    fitted = trial.parameters
    said = f"{fitted.ability_variance:.2f} and {fitted.skill_variance:.2f}: "
    await run.progress(f"{said if trial.metrics else ''}{trial.reason}", trial.rows)


def _content(trial: VariancesTrial, easiness: str | None) -> dict[str, Any]:
    return {
        "item_easiness": easiness,
        "accepted": trial.accepted,
        "ability_variance": trial.parameters.ability_variance,
        "skill_variance": trial.parameters.skill_variance,
    }
