"""E16: a learner erased while a job is in the middle of computing that learner."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.support.learning import LEARNER, OTHER, history, send
from tests.support.matrix import count
from tests.support.nightly import enrol, exam_catalogue

from osler.analytics.contract import Analytic
from osler.analytics.registry import analytics
from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.jobs.run import Job, run_once
from osler.live import draining
from osler.live.catch_up import Live
from osler.privacy.erasure import erase
from osler.privacy.scan import scan
from osler.rollups.nightly import nightly_jobs
from osler.settings import Settings
from osler.worker.catching_up import catching_up

pytestmark = [pytest.mark.integration, pytest.mark.fault]

PERIOD = "2026-11-21"


class Gate:
    """Stops a job when it has written a learner's rows and before it commits."""

    def __init__(self) -> None:
        self.inside, self.go_on = asyncio.Event(), asyncio.Event()

    async def after(self, work: Any, *arguments: Any) -> None:
        await work(*arguments)
        self.inside.set()
        await asyncio.wait_for(self.go_on.wait(), 20)


def _gated(analytic: Analytic, name: str, gate: Gate) -> Analytic:
    def held(part: Any, method: str) -> Any:
        work = getattr(part, method)
        return replace(part, **{method: lambda *given: gate.after(work, *given)}) if part.name == name else part

    return replace(
        analytic,
        rollups=tuple(held(rollup, "recount") for rollup in analytic.rollups),
        refreshes=tuple(held(refresh, "refresh") for refresh in analytic.refreshes),
    )


_WAITS = "select exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted)"
JOBS = [part.name for analytic in analytics() for part in (*analytic.rollups, *analytic.refreshes)]


@pytest.mark.parametrize("name", JOBS)
async def test_e16_what_a_job_was_computing_of_an_erased_learner_is_gone(
    database: Database, settings: Settings, admin, name: str
) -> None:
    await exam_catalogue(database)
    for learner in (LEARNER, OTHER):
        await enrol(database, learner)
        await send(database, history(8), learner)
    await draining.drain(database, Live(database, analytics()))
    gate = Gate()
    shipped = [_gated(analytic, name, gate) for analytic in analytics()]
    jobs = nightly_jobs(shipped, catching_up(Live(database, shipped)))
    for job in jobs:
        if job.name == name:
            await _erase_inside(database, settings, admin, job, gate)
        else:
            await run_once(database, job, PERIOD)
    connection = await connect_plainly(settings.eraser_database_url.get_secret_value())  # type: ignore[union-attr]
    try:
        assert (await scan(connection, LEARNER)).hits == {}, f"{name} wrote rows of the erased learner"
        assert (await scan(connection, OTHER)).hits
    finally:
        await connection.close()


async def _erase_inside(database: Database, settings: Settings, admin, job: Job, gate: Gate) -> None:
    for _ in range(count("E16", "rounds")):
        running = asyncio.create_task(run_once(database, job, PERIOD, again=True))
        await asyncio.wait_for(gate.inside.wait(), 20)
        erasing = asyncio.create_task(erase(settings, LEARNER))
        for _ in range(300):  # the erasure waits for the job, or has passed it by
            if erasing.done() or await admin.fetchval(_WAITS):
                break
            await asyncio.sleep(0.02)
        gate.go_on.set()
        certificate = await asyncio.wait_for(erasing, 30)
        await asyncio.wait_for(running, 30)
        assert certificate.state == "certified"
