"""Celery for real: a ring through a real Redis runs the night in a worker process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

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
    await run_scheduler(ringing, once=True)
    worker = subprocess.Popen(
        [sys.executable, "-m", "osler", "worker"],
        env=environment(settings, broker), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and await succeeded(database) < 9:
            await asyncio.sleep(0.3)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
    assert await succeeded(database) >= 9
    async with database.read() as s:
        assert await s.scalar(sa.text("select count(*) from daily_user_stats where user_id = :u"), {"u": LEARNER}) == 3


async def test_the_bell_is_json_acknowledged_late_and_one_at_a_time(settings: Settings, redis_server: RedisServer):
    ringing = settings.model_copy(update={"broker_url": SecretStr(broker_of(redis_server))})
    app = make_celery(ringing)
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.broker_transport_options["visibility_timeout"] > 3600
    assert RING in app.tasks
