"""Celery for real: a ring through a real Redis runs the night in a worker process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from tests.support.learning import LEARNER, history, send
from tests.support.nightly import enrol, exam_catalogue
from tests.support.redis_server import RedisServer

from osler.db.engine import Database
from osler.errors import Misconfigured
from osler.settings import Settings
from osler.worker.broker import RING, make_celery
from osler.worker.night import night_of
from osler.worker.scheduler import run_scheduler

pytestmark = pytest.mark.integration


def broker_of(server: RedisServer) -> str:
    return server.url.replace("unix://", "redis+socket://")


def environment(settings: Settings, broker: str) -> dict[str, str]:
    found = {**os.environ, "OSLER_PROFILE": "test", "OSLER_HOME": str(settings.home), "OSLER_BROKER_URL": broker}
    for name in ("database_url", "owner_database_url", "eraser_database_url"):
        found[f"OSLER_{name.upper()}"] = getattr(settings, name).get_secret_value()
    return found


async def succeeded(database: Database) -> int:
    async with database.read() as s:
        return await s.scalar(sa.text("select count(*) from job_runs where status = 'succeeded'"))


async def test_without_a_broker_a_worker_says_which_setting_is_missing(settings: Settings):
    with pytest.raises(Misconfigured, match="OSLER_BROKER_URL"):
        make_celery(settings)


async def test_a_ring_through_the_broker_runs_the_night_in_a_worker(
    settings: Settings, database: Database, redis_server: RedisServer
):
    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(3))
    broker = broker_of(redis_server)
    ringing = settings.model_copy(update={"broker_url": SecretStr(broker)})

    async def rang_and_ended() -> bool:
        await run_scheduler(ringing, once=True)  # a ring is heard for a minute: a worker may take longer to start
        return await ran_well(database, 9)

    await run_scheduler(ringing, once=True)
    worker = subprocess.Popen(
        [sys.executable, "-m", "osler", "worker"],
        env=environment(settings, broker), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(rang_and_ended, pause=3.0)
    finally:
        worker.send_signal(signal.SIGTERM)
        await asyncio.to_thread(worker.wait, 240)  # it ends the ring that it is at: the rest of a night
    assert await succeeded(database) >= 9
    async with database.read() as s:
        assert await s.scalar(sa.text("select count(*) from daily_user_stats where user_id = :u"), {"u": LEARNER}) == 3


QUICK_BEAT = """
from osler.worker.beat import app
app.conf.beat_schedule["ring"]["schedule"] = 2.0
"""


@pytest.mark.fault
async def test_f16_two_celery_beats_and_two_workers_run_each_job_of_a_night_once(
    settings: Settings, database: Database, redis_server: RedisServer, tmp_path: Path
):
    """Four processes and a real Redis; in mid night one of the beats is killed."""
    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(3))
    (tmp_path / "quick_beat.py").write_text(QUICK_BEAT)
    given = environment(settings, broker_of(redis_server)) | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    wanted = {job.name for job in night_of(database).jobs}
    logs = [tmp_path / f"beat{n}.log" for n in range(2)]
    with ExitStack() as processes:

        def start(*command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
            told = processes.enter_context(log.open("wb")) if log else subprocess.DEVNULL
            process = subprocess.Popen([sys.executable, "-m", *command], env=given, stdout=told, stderr=told)
            processes.callback(ended, process)
            return process

        celery = ("celery", "--app", "quick_beat", "beat", "--loglevel", "info", "--pidfile", "", "--schedule")
        beats = [start(*celery, str(tmp_path / f"schedule{n}"), log=log) for n, log in enumerate(logs)]
        for _ in range(2):
            start("osler", "worker")
        await until(lambda: ran_well(database, 3))
        await until(lambda: rang(logs, 2))
        beats[0].kill()
        sent = logs[1].read_text().count("Sending due task")
        await until(lambda: ran_well(database, len(wanted)))
        await until(lambda: rang(logs[1:], sent + 2))  # these find nothing to do
    async with database.read() as s:
        runs = await s.rows(sa.text("select job, period, status from job_runs"))
    assert {run["job"] for run in runs} == wanted
    assert [run["status"] for run in runs] == ["succeeded"] * len(wanted), "one run a job, and each of them ended well"
    async with database.read() as s:
        assert await s.scalar(sa.text("select count(*) from daily_user_stats where user_id = :u"), {"u": LEARNER}) == 3


def ended(process: subprocess.Popen[bytes]) -> None:
    """A worker ends what it runs first; on a slow machine nobody waits for that."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def ran_well(database: Database, jobs: int) -> bool:
    return await succeeded(database) >= jobs


async def rang(logs: list[Path], times: int) -> bool:
    return all(log.read_text().count("Sending due task") >= times for log in logs)


async def until(is_so: Callable[[], Awaitable[bool]], *, seconds: float = 240.0, pause: float = 0.2) -> None:
    """Wait as long as a very slow machine needs."""
    end = time.monotonic() + seconds
    while not await is_so():
        assert time.monotonic() < end, "it did not come to it"
        await asyncio.sleep(pause)


async def test_the_bell_is_json_acknowledged_late_and_one_at_a_time(settings: Settings, redis_server: RedisServer):
    ringing = settings.model_copy(update={"broker_url": SecretStr(broker_of(redis_server))})
    app = make_celery(ringing)
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.broker_transport_options["visibility_timeout"] > 3600
    assert RING in app.tasks
