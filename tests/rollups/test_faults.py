"""The night under faults: killed at every stage, poisoned by one learner-day, taken over by another process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, START, derived, history, send
from tests.support.matrix import count
from tests.support.nightly import enrol, exam_catalogue

from osler.analytics.efficiency.tables import daily_user_stats, weekly_user_stats
from osler.analytics.gaps.tables import knowledge_gaps
from osler.analytics.readiness.tables import exam_projections, user_learning_metrics
from osler.db.engine import Database
from osler.jobs.leases import Status
from osler.settings import Settings
from osler.worker.night import Night, night_of

pytestmark = [pytest.mark.integration, pytest.mark.fault]
TABLES = [daily_user_stats, weekly_user_stats, knowledge_gaps, user_learning_metrics, exam_projections]

LATE_SECONDS = 2.0
"""A busy machine lets the ring that runs and the nine that leave take turns."""


async def two_learners(database: Database) -> None:
    await exam_catalogue(database)
    for learner in (LEARNER, OTHER):
        await enrol(database, learner)
        await send(database, history(8), learner)


async def rows(database: Database) -> dict[str, Any]:
    found = {str(u): await derived(database, TABLES, u) for u in (LEARNER, OTHER)}
    return {u: {t: [{k: v for k, v in r.items() if k != "as_of"} for r in own] for t, own in of.items()}
            for u, of in found.items()}  # fmt: skip


async def test_f15_a_night_killed_between_any_two_stages_ends_as_one_never_killed(
    settings: Settings, database: Database
):
    await two_learners(database)
    script = (
        "import asyncio, os, sys\n"
        "from osler.settings import load_settings\n"
        "from osler.worker.night import opened\n"
        "async def main():\n"
        "    async with opened(load_settings()) as night:\n"
        "        for job in night.jobs[: int(sys.argv[1])]:\n"
        "            await night.run(job.name)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "OSLER_PROFILE": "test", "OSLER_HOME": str(settings.home)}
    for name in ("database_url", "owner_database_url", "eraser_database_url"):
        environment[f"OSLER_{name.upper()}"] = getattr(settings, name).get_secret_value()
    night = night_of(database)
    places = count("F15", "boundaries")
    boundaries = range(1, len(night.jobs) + 1) if places > len(night.jobs) else (1, 4, 7)[:places]
    for stages in boundaries:
        killed = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", script, str(stages)],
            env=environment,
            capture_output=True,
            timeout=300,  # nobody waits for it on a machine that is quick
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    await night.ring()
    finished = await rows(database)
    async with database.read() as s:
        doubled = await s.rows(
            sa.text("select job, period from job_runs where status = 'succeeded' group by 1, 2 having count(*) > 1")
        )
    assert doubled == []
    for job in night.jobs:
        await night.run(job.name, again=True)
    assert await rows(database) == finished


async def test_f20_one_poisoned_learner_day_is_parked_and_all_others_are_done(database: Database, monkeypatch: Any):
    await two_learners(database)
    night = night_of(database)
    poison = START.date() + timedelta(days=3)
    from osler.analytics.efficiency import rollup

    real = rollup.INSERT_DAYS
    hit = f"(select 1 / (case when w.user_id = '{LEARNER}' and w.local_date = '{poison}' then 0 else 1 end))"
    monkeypatch.setattr(rollup, "INSERT_DAYS", real.replace("where l.events > 0", f"where {hit} = 1 and l.events > 0"))
    assert await night.run("daily_stats") == "partial"
    found = await derived(database, [daily_user_stats], OTHER)
    assert len(found["daily_user_stats"]) == 8
    async with database.read() as s:
        parked = await s.rows(sa.text("select user_id, local_date, reason from job_parked"))
    assert [(row["user_id"], row["local_date"]) for row in parked] == [(LEARNER, poison)]
    assert all("'" not in row["reason"] for row in parked), "a reason never quotes a value"
    monkeypatch.undo()  # and once it computes again, nothing is missing
    assert await night.run("daily_stats", again=True) == "succeeded"
    assert len((await derived(database, [daily_user_stats], LEARNER))["daily_user_stats"]) == 8


async def test_f16_ten_rings_at_once_write_each_result_once(database: Database):
    await two_learners(database)
    night = night_of(database)
    for n in range(count("F16", "rounds")):
        day = START.date() + timedelta(days=60 + n)
        ended = await asyncio.gather(*(_rung(night, day) for _ in range(10)))
        assert sum(status is not None for status, _ in ended) == 1
        assert max(seconds for status, seconds in ended if status is None) < 1 + LATE_SECONDS
    assert len((await derived(database, [daily_user_stats], LEARNER))["daily_user_stats"]) == 8


async def test_f16_two_schedulers_of_their_own_run_each_job_of_a_night_once(
    settings: Settings, database: Database
) -> None:
    """Two processes with APScheduler on one database, both ringing; the one that works is stopped in mid night."""
    await two_learners(database)
    environment = {**os.environ, "OSLER_PROFILE": "test", "OSLER_HOME": str(settings.home)}
    for name in ("database_url", "owner_database_url", "eraser_database_url"):
        environment[f"OSLER_{name.upper()}"] = getattr(settings, name).get_secret_value()
    command = [sys.executable, "-m", "osler", "scheduler", "--every", "0.5"]
    schedulers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        wanted = {job.name for job in night_of(database).jobs}
        working = await _holders(database, 3)  # on a busy machine both, each with jobs of its own
        assert working <= {process.pid for process in schedulers}
        worker = working.pop()
        other = next(process for process in schedulers if process.pid != worker)
        os.kill(worker, signal.SIGTERM)
        await _holders(database, len(wanted))
        await asyncio.sleep(2)  # four more rings find nothing to do
        assert other.poll() is None
    finally:
        for process in schedulers:
            process.terminate()
        for process in schedulers:
            process.wait(15)
    ended = await _succeeded(database)
    assert len({(row["job"], row["period"]) for row in ended}) == len(ended) == len(wanted)
    assert {_pid(row) for row in ended} == {process.pid for process in schedulers}, "unknown: one of them never rang"


async def _holders(database: Database, jobs: int) -> set[int]:
    """Wait until so many jobs have succeeded; the processes that ran them."""
    until = time.monotonic() + 150
    while len(await _succeeded(database)) < jobs:
        assert time.monotonic() < until, "the night did not end"
        await asyncio.sleep(0.1)
    return {_pid(row) for row in await _succeeded(database)}


async def _succeeded(database: Database) -> list[Any]:
    async with database.read() as s:
        query = "select job, period, holder from job_runs where status = 'succeeded'"
        return list(await s.rows(sa.text(query)))


def _pid(row: Any) -> int:
    return int(row["holder"].rpartition(" ")[2])


async def _rung(night: Night, day: date) -> tuple[Status | None, float]:
    began = time.monotonic()
    return await night.run("daily_stats", day), time.monotonic() - began
