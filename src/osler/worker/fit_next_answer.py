"""Which model forecasts the next answer? Fitted and judged once a week on the deployment's own log.

What was known before each answer is traced by the live fold itself, over shadow tables, under the easiness counted
last and the prior variances that serve with it: rows to learn from and forecasts to serve cannot come apart. The model
is signed and put on the shelf; it serves from the refold on, if it was accepted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import numpy as np

from osler import __version__
from osler.analytics.contract import Analytic, Traced
from osler.evaluate.next_answer_models import MIN_LEARNERS
from osler.evaluate.next_answer_rows import TEST_ONE_IN
from osler.evaluate.next_answer_trial import MIN_HELD_BACK, Trial, is_held_back, tried
from osler.forecasts.model_files import Manifest, Payload, golden_of
from osler.forecasts.parameters import (
    EASINESS,
    NEXT_ANSWER,
    Fitted,
    Parameters,
    ParameterStore,
    Parts,
    newest,
    store,
    variances_to_serve,
)
from osler.forecasts.shelf import Shelf
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.live.catch_up import Live
from osler.live.shadow import cast_shadow
from osler.rollups.nightly import as_of_night
from osler.science.features import NAMES
from osler.science.next_answer import Asked, NextAnswerModel
from osler.science.next_answer_fit import collected
from osler.worker.teachers import teachers_after

NAME = "fit_next_answer"
LEARNERS_AT_ONCE = 50
MOST_ROWS = 1_000_000  # some 400 MB while the fit runs

_SIZE = "select learners, trained_until from models where version = $1"


@dataclass(slots=True)
class _Gathered:
    """What was traced so far, answer by answer."""

    asked: list[Asked] = field(default_factory=list[Asked])
    correct: list[bool] = field(default_factory=list[bool])
    learner: list[int] = field(default_factory=list[int])
    held_back: list[bool] = field(default_factory=list[bool])
    learners: int = 0
    newest: datetime | None = None

    def add(self, user_id: UUID, traced: list[Traced], until: datetime) -> None:
        rows = [one for one in traced if one.event_ts < until]
        if not rows:
            return
        # Rows of one array: a list of 24 Python numbers takes four times as much.
        compact = cast("Sequence[Sequence[float]]", np.array([one.asked.features for one in rows]))
        self.asked += [one.asked._replace(features=row) for one, row in zip(rows, compact, strict=True)]
        self.correct += [one.correct for one in rows]
        self.learner += [self.learners] * len(rows)
        self.held_back += [is_held_back(user_id)] * len(rows)
        self.learners += 1
        self.newest = max(rows[-1].event_ts, self.newest or rows[-1].event_ts)


def next_answer_job(live: Live, analytics: Sequence[Analytic]) -> Job:
    """The weekly job."""

    async def fit(run: Run) -> None:
        async with run.read() as session:
            easiness = await newest(session, EASINESS)
            if easiness is None:
                await run.progress("no answers yet: the online model serves alone")
                return
            under = Parts(easiness[0], prior_variances=await variances_to_serve(session))
            parameters = await ParameterStore().of_parts(session, under, easiness[0])
            known: Any = await session.driver().fetchrow(_SIZE, easiness[0])
        if known["learners"] < MIN_LEARNERS + MIN_HELD_BACK:  # tracing them would cost as much as a refold, for nothing
            needed = f"{MIN_LEARNERS}, and {MIN_HELD_BACK} held back, one in {TEST_ONE_IN}"
            reason = f"too few: {known['learners']} learners; needed {needed}; the online model serves alone"
            await _kept(run, Trial(False, reason), under, known["trained_until"])
            return
        gathered = await _traced(run, live, analytics, parameters)
        if gathered.newest is None:
            return
        await run.progress("fitting", len(gathered.asked))
        # In a thread: the lease of the job is renewed meanwhile.
        trial = await asyncio.to_thread(_tried, gathered)
        await _kept(run, trial, under, gathered.newest)

    return Job(NAME, "fits and judges the model of the next answer", fit, cadence=Cadence.WEEKLY)


async def _traced(run: Run, live: Live, analytics: Sequence[Analytic], parameters: Parameters) -> _Gathered:
    gathered, after = _Gathered(), UUID(int=0)
    tables = [found.table for analytic in analytics for found in analytic.tables]
    while len(gathered.asked) < MOST_ROWS:
        async with run.write() as session:
            chunk = await teachers_after(session, after, LEARNERS_AT_ONCE)
            if chunk:
                await cast_shadow(session, tables)
            for user_id in chunk:
                gathered.add(user_id, await live.trace_in(session, user_id, parameters), as_of_night(run.day))
        if not chunk:
            break
        after = chunk[-1]
        await run.progress("tracing answers", len(gathered.asked))
    return gathered


def _tried(gathered: _Gathered) -> Trial:
    rows = collected(gathered.asked, gathered.correct)
    return tried(rows, np.array(gathered.learner, dtype=np.int64), np.array(gathered.held_back, dtype=np.bool_))


async def _kept(run: Run, trial: Trial, under: Parts, until: datetime) -> None:
    """Put an accepted model on the shelf, and keep what became of the trial."""
    metrics: dict[str, Any] = {**(trial.metrics or {}), "reason": trial.reason}
    content: dict[str, Any] = {"item_easiness": under.item_easiness, "accepted": trial.accepted}
    if under.prior_variances is not None:
        content["prior_variances"] = under.prior_variances
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
