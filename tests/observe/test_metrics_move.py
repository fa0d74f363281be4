"""Every metric that is declared moves in a real run, H14 holds in one, and every named statement has its series."""

from __future__ import annotations

import ast
import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import Gauge
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr
from tests.support.learning import answer, history, small_catalogue
from tests.support.otlp_collector import collecting
from tests.support.redis_server import RedisServer
from tests.support.web import Web, serving

import osler
from osler import clock
from osler.db.engine import Database
from osler.http.policy import Role
from osler.jobs.run import Job, run_once
from osler.live.gauges import Gauges
from osler.observe import metrics
from osler.observe.traces import tracing
from osler.settings import Settings
from osler.worker.night import night_of

SOURCE = Path(osler.__file__).parent
TIMED = frozenset({"execute", "rows", "one", "scalar", "tuples"})


WANTED = {
    "outcome": {"accepted", "duplicate", "conflict", "rejected", "refused"},
    "kind": set(metrics.SECURITY_KINDS) - {"model_refused"},  # tests/forecasts
    "result": {*metrics.CACHE_RESULTS, "sent"},
    "status": {"succeeded", "failed", "lost"},
    "reason": set(metrics.DROP_REASONS),
    "consumer": set(metrics.CONSUMERS),
}


def series() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
    }


def at_rest() -> None:
    """What another test of this process left in the gauges is not to pass for a value that stays."""
    for one in vars(metrics).values():
        if isinstance(one, Gauge) and not one._labelnames:
            one.set(0)


def declared() -> set[str]:
    return {one._name for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)}


def names_in_source() -> Iterator[str]:
    """Names under which statements of sessions are timed, as they stand in the code."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TIMED:
                for keyword in node.keywords:
                    if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)


def test_every_name_of_a_statement_has_a_series_and_every_series_a_statement() -> None:
    assert set(names_in_source()) | {metrics.LONG} == set(metrics.QUERIES)


@pytest.mark.integration
@pytest.mark.slow
async def test_every_declared_metric_moves_in_a_real_run(settings: Settings, redis_server: RedisServer) -> None:
    with collecting() as collector:
        with_redis = settings.model_copy(
            update={"redis_url": SecretStr(redis_server.url), "otlp_endpoint": collector.url, "rate_per_minute": 100}
        )
        with tracing(with_redis, "serve"):
            async with serving(with_redis) as web:
                at_rest()
                before = series()
                gauges = Gauges(web.platform.db)
                await gauges.look()
                await small_catalogue(web.platform.db)
                await a_day_of_everything(web, redis_server)
                # A connection is in use and one is waited for while the gauges look at the pools.
                await a_mark(web)
                async with web.platform.db.read():
                    web.platform.db.waiting += 1
                    await gauges.look()
                    busy = series()  # now: the server's own look comes every few seconds
                    web.platform.db.waiting -= 1
                redis_server.kill()
                await until_down()
    after = series()
    moved = {key for found in (busy, after) for key, value in found.items() if before.get(key) != value}
    names = {name for name, _ in moved}
    still = {one for one in declared() if not names & {one, f"{one}_total", f"{one}_count"}}
    # Nothing else runs here: that it rises under load is what a busy database shows.
    assert still <= {"osler_db_busy_ratio", "osler_db_pool_size"}, still
    for label, values in WANTED.items():
        assert values <= {dict(labels).get(label) for _, labels in moved}, label
    assert len(after) <= 2000, f"H14: {len(after)} series"


async def a_mark(web: Web) -> None:
    """Something that live has still to fold."""
    async with web.platform.db.write() as s:
        await s.driver().execute(
            "insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts) "
            "values ($1, 'live', current_date, gen_random_uuid(), 7, now())",
            web.learner,
        )


async def until_down() -> None:
    for _ in range(100):
        if metrics.REGISTRY.get_sample_value("osler_cache_up") == 0:
            return
        await asyncio.sleep(0.1)


async def a_day_of_everything(web: Web, redis_server: RedisServer) -> None:
    """Events of every outcome, reads of every kind, refusals, jobs that end well, badly and not at all."""
    at = clock.now()
    good = history(2)
    clashing = {**good[0], "data": {**good[0]["data"], "time_to_answer_seconds": 9.0}}
    bad = answer(at, 99, "somebody@example.org", right=True)
    for events in ([*good, bad], [good[0]], [clashing]):
        envelope = {"sent_at": at.isoformat(), "events": events, "dropped": {"api_request": 3}}
        assert (await web.client.post("/api/events/batch", headers=web.auth(), json=envelope)).status_code == 200
    gone = uuid.uuid4()
    await web.client.get("/api/me", headers=web.auth(gone))
    await web.client.post("/api/me/erasure", headers=web.auth(gone))
    refused = {"sent_at": at.isoformat(), "events": good[:2]}
    await web.client.post("/api/events/batch", headers=web.auth(gone), json=refused)
    for _ in range(50):  # a fold behind the answer of the batch makes what was kept before it old
        if (await web.get("/api/analytics/mastery")).headers["X-Cache"] == "hit":
            break
        await asyncio.sleep(0.1)
    officer = {**web.auth(uuid.uuid4(), Role.PROGRAM_ADMIN), "Osler-Purpose": "support"}
    read = await web.client.get("/api/analytics/mastery", params={"user_id": str(web.learner)}, headers=officer)
    assert read.headers["X-Cache"] == "bypass"
    assert (await web.client.get("/api/me", headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await web.client.get("/api/jobs/none", headers=web.auth())).status_code in {403, 404}
    assert (
        await web.client.get("/api/me/accesses", params={"user_id": str(gone)}, headers=web.auth())
    ).status_code == 404
    await poison(web, redis_server)
    assert 429 in [(await web.get("/api/me")).status_code for _ in range(120)]
    await jobs(web.platform.db)


async def poison(web: Web, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        for key in client.scan_iter("osler:*"):
            if not key.startswith(b"osler:g"):
                client.set(key, b"{}")
    assert (await web.get("/api/analytics/mastery")).headers["X-Cache"] == "miss"


async def jobs(db: Database) -> None:
    async def fails(_run: object) -> None:
        raise ValueError("on purpose")

    night = night_of(db)
    metrics.declare_jobs(["fails", "lost"])
    assert await night.run("partitions") == "succeeded"
    with pytest.raises(ValueError, match="on purpose"):
        await run_once(db, Job(name="fails", what="w", work=fails), "2026-11-22")
    async with db.write() as s:
        await s.execute(
            sa.text(
                "insert into job_runs (job, period, fence, status, holder, lease_until, started_at, finished_at) "
                "values ('lost', '2026-11-22', 1, 'lost', 'h', now(), now(), clock_timestamp())"
            )
        )
