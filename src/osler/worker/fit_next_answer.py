"""Which model forecasts the next answer? Fitted and judged once a week on the deployment's own log.

What was known before each answer is traced by the live fold itself, over shadow tables, under the easiness and the
prior variances that are to serve with it: rows to learn from and forecasts to serve cannot come apart. The model
is signed and put on the shelf; it serves from the refold on, if it was accepted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from osler import __version__
from osler.analytics.contract import Analytic
from osler.evaluate.next_answer_models import MIN_LEARNERS
from osler.evaluate.next_answer_rows import TEST_ONE_IN
from osler.evaluate.next_answer_trial import MIN_HELD_BACK, Trial, tried
from osler.forecasts.model_files import Manifest, Payload, golden_of
from osler.forecasts.parameters import (
    EASINESS,
    NEXT_ANSWER,
    PRIOR_VARIANCES,
    START_VERSION,
    Fitted,
    ParameterStore,
    Parts,
    accepted,
    newest,
    store,
)
from osler.forecasts.shelf import Shelf
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.live.catch_up import Live
from osler.rollups.nightly import as_of_night
from osler.science.features import NAMES
from osler.science.next_answer import NextAnswerModel
from osler.worker.told import none_before
from osler.worker.tracing import sampled, traced

NAME = "fit_next_answer"

_SIZE = "select learners, trained_until from models where version = $1"


def next_answer_job(live: Live, analytics: Sequence[Analytic]) -> Job:
    """The weekly job."""

    async def fit(run: Run) -> None:
        async with run.read() as session:
            easiness = await newest(session, EASINESS)
            if easiness is None:
                await run.progress(f"{none_before(run)}: the online model serves alone")
                return
            served, variances = await accepted(session, EASINESS), await accepted(session, PRIOR_VARIANCES)
            under = Parts(served, prior_variances=variances)
            parameters = await ParameterStore().of_parts(session, under, served or START_VERSION)
            known: Any = await session.driver().fetchrow(_SIZE, easiness[0])
        if known["learners"] < MIN_LEARNERS + MIN_HELD_BACK:  # tracing them would cost as much as a refold, for nothing
            needed = f"{MIN_LEARNERS}, and {MIN_HELD_BACK} held back, one in {TEST_ONE_IN}"
            reason = f"too few: {known['learners']} learners; needed {needed}; the online model serves alone"
            await _kept(run, Trial(False, reason), under, known["trained_until"])
            return
        until, most = as_of_night(run.day), run.database.settings.fit_most_answers
        async with run.read() as session:
            sample = await sampled(session, until, most)
        traces = await traced(run, live, analytics, parameters, sample)
        if traces is None:
            return
        await run.progress(f"fitting on {sample}", traces.learner.size)
        # In a thread: the lease of the job is renewed meanwhile.
        trial = await asyncio.to_thread(tried, traces.rows, traces.learner, traces.held_back)
        await _kept(run, replace(trial, reason=f"{trial.reason}; {sample}"), under, traces.newest)

    return Job(NAME, "fits and judges the model of the next answer", fit, cadence=Cadence.WEEKLY)


async def _kept(run: Run, trial: Trial, under: Parts, until: datetime) -> None:
    """Put an accepted model on the shelf, and keep what became of the trial."""
    metrics: dict[str, Any] = {**(trial.metrics or {}), "reason": trial.reason}
    content: dict[str, Any] = {"accepted": trial.accepted}
    for name in ("item_easiness", "prior_variances"):
        if getattr(under, name) is not None:
            content[name] = getattr(under, name)
    version = None
    if trial.accepted and trial.model is not None:
        digest = hashlib.sha256(msgspec.json.encode(trial.model, order="deterministic")).hexdigest()
        version = f"{NEXT_ANSWER}-{until:%Y%m%d}-{digest[:10]}"
        manifest = Manifest(
            NEXT_ANSWER, version, NAMES, __version__, until.isoformat(), trial.learners, trial.rows, trial.metrics or {}
        )
        cases = golden_cases(trial.model)
        payload = Payload(manifest, trial.model, golden_of(trial.model, cases))
        path = await asyncio.to_thread(Shelf(run.database.settings.home).write, payload)
        content |= {"file": path.name, "sha256": digest}
    async with run.write() as session:
        fit = Fitted(NEXT_ANSWER, content, until, trial.learners, trial.rows, metrics)
        await store(session, fit, promote=trial.accepted, version=version)
    await run.progress(f"{'accepted' if trial.accepted else 'refused'}: {trial.reason}", trial.rows)


def golden_cases(
    model: NextAnswerModel,
) -> list[tuple[tuple[float, ...], str, tuple[tuple[str, int, int], ...]]]:
    """Made-up answers to hold a model's file against: no learner's row is put into it."""
    part = model.regression
    item, topic = next(iter(part.items), "none"), next(iter(part.topics), "none")
    steps = [
        tuple(mean + step * spread for mean, spread in zip(part.mean, part.spread, strict=True))
        for step in (-1.0, 0.0, 1.0)
    ]
    return [(values, item, ((topic, 3, 1),)) for values in steps]
