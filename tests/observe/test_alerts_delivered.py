"""R09: each alert of the brief is provoked for real, and delivered and taken back by Prometheus and Alertmanager.

Every window is 15 seconds and every `for` two, with nothing else changed. With OSLER_ALERTS_AS_SHIPPED=1 they are those
that ship, which takes more than an hour: a job that failed is shown for one.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.observe.test_alerts import FOLDER, RULES, program
from tests.support.learning import LEARNER, small_catalogue
from tests.support.web import Web, serving

from osler.api.server import free_port
from osler.db.engine import Database
from osler.http.cache.open import running
from osler.jobs.run import Job, run_once
from osler.live.gauges import Gauges
from osler.observe import metrics
from osler.observe.listener import metrics_listener
from osler.settings import Settings

AS_SHIPPED = bool(os.environ.get("OSLER_ALERTS_AS_SHIPPED"))
BRIEFS = {"OslerSlowQuery", "OslerJobFailed", "OslerIngestBacklog", "OslerDatabaseBusy", "OslerCacheMisses"}
WITHIN = 60.0
"""Seconds after an alert's `for`."""
LAST = 65 * 60.0 if AS_SHIPPED else 60.0
"""Seconds in which everything has to have been taken back: a failed job is shown for an hour."""


@contextmanager
def webhook() -> Iterator[tuple[str, dict[str, list[str]]]]:
    """An address that takes notices, and the statuses that each alert has been told with."""
    told: dict[str, list[str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in body["alerts"]:
                told.setdefault(alert["labels"]["alertname"], []).append(alert["status"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name that http.server calls)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts", told
    finally:
        server.shutdown()
        server.server_close()


def hurried(rules: str) -> str:
    """The rules with short windows, unless those that ship are asked for."""
    if AS_SHIPPED:
        return rules
    return re.sub(r"for: \w+", "for: 2s", re.sub(r"\[\d+[mhd]\]", "[15s]", rules))


@contextmanager
def watching(folder: Path, port: int, hook: str) -> Iterator[None]:
    """A real Prometheus and a real Alertmanager, with the files that ship but for addresses and the hurry."""
    own, manager = free_port("127.0.0.1", 0), free_port("127.0.0.1", 0)
    (folder / "rules.yaml").write_text(hurried(RULES))
    (folder / "prometheus.yaml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yaml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{manager}']}}]}}]}}\n"
        f"scrape_configs: [{{job_name: osler, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    shipped = (FOLDER / "alertmanager.yaml").read_text().replace("http://127.0.0.1:8099/alerts", hook)
    quick = shipped.replace("group_wait: 10s", "group_wait: 1s").replace("group_interval: 1m", "group_interval: 2s")
    (folder / "alertmanager.yaml").write_text(shipped if AS_SHIPPED else quick)
    commands = (
        [program("prometheus", "prometheus"), f"--config.file={folder}/prometheus.yaml",
         f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{own}"],
        [program("prometheus-alertmanager", "prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yaml",
         f"--storage.path={folder}/am", f"--web.listen-address=127.0.0.1:{manager}", "--cluster.listen-address="],
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


async def fails(_run: object) -> None:
    raise ValueError("on purpose")


async def backlog(db: Database, n: int) -> None:
    async with db.write() as s:
        await s.driver().execute("delete from dirty_days where user_id = $1", LEARNER)
        if n:
            await s.driver().execute(
                "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
                "values ($1, 'live', current_date, gen_random_uuid(), $2, now())",
                LEARNER, n,
            )  # fmt: skip


@asynccontextmanager
async def provoking(web: Web) -> AsyncIterator[None]:
    """Everything at once, as long as the block runs."""
    db = web.platform.db

    async def sleeper() -> None:
        while True:
            async with db.read(primary=True) as s:
                await s.execute(sa.text("select pg_sleep(1.3)"))

    async def reader() -> None:
        while True:
            assert (await web.get("/api/analytics/mastery")).headers["X-Cache"] == "miss"
            await asyncio.sleep(0.03)

    async def failing() -> None:
        for n in range(1, 1_000_000):
            with suppress(ValueError):
                day = date(2020, 1, 1) + timedelta(days=n)
                await run_once(db, Job(name="fails", what="w", work=fails), day.isoformat())
            await asyncio.sleep(3)

    async def behind() -> None:
        while True:  # live folds it away each time that it looks
            await backlog(db, 10_001)
            await asyncio.sleep(0.2)

    tasks = [
        asyncio.create_task(work()) for work in (*[sleeper] * (2 * (os.cpu_count() or 1)), reader, failing, behind)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backlog(db, 0)


async def until(told: dict[str, list[str]], status: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if all(status in told.get(name, []) for name in BRIEFS):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"not {status} within {seconds} s: {told}")


@pytest.mark.integration
@pytest.mark.slow
async def test_r09_each_alert_of_the_brief_is_delivered_and_taken_back(settings: Settings, tmp_path: Path) -> None:
    longest = max(60 * int(minutes) for minutes in re.findall(r"for: (\d+)m", RULES)) + 600 if AS_SHIPPED else 20
    unhurried = {"rate_per_minute": 1_000_000, "rate_address_per_minute": 1_000_000}
    asked = {"metrics_port": 0, "cache_ttl_seconds": 0, **unhurried}
    with webhook() as (hook, told), metrics_listener(settings.model_copy(update=asked)) as port:
        assert port is not None
        async with serving(settings.model_copy(update=asked)) as web:
            metrics.declare_jobs(["fails"])
            await small_catalogue(web.platform.db)
            gauges = Gauges(web.platform.db)
            await gauges.look()
            with watching(tmp_path, port, hook):
                await asyncio.sleep(3)  # every series was there at its quiet value before
                async with running(look(gauges)):
                    async with provoking(web):
                        await until(told, "firing", longest + WITHIN)
                    await until(told, "resolved", LAST + WITHIN)


async def look(gauges: Gauges) -> None:
    while True:
        await gauges.look()
        await asyncio.sleep(1)
