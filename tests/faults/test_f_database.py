"""F04, S04, R13: PostgreSQL restarted, killed or hung while clients send and read; the service itself stays."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest
from tests.support.embedded import Home, processes_in
from tests.support.invariants import broken, proven
from tests.support.load import Book, Learner, keep_sending
from tests.support.matrix import count
from tests.support.service import Service

from osler.db.connect import connect_plainly
from osler.db.embedded import Embedded
from osler.settings import load_settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

LEARNERS = 6
BACK_SECONDS = 10.0
LIVE_SECONDS = 0.5
UNREADY_SECONDS = 15.0
"""An answer is kept for a second, the next waits two for the database; thrice, on a busy machine."""
LONGEST_SECONDS = 5.0
LATE_SECONDS = 1.5
"""A busy machine wakes a client that much later than its answer came."""


async def test_f04_a_restarted_database_costs_503s_and_no_restart_of_the_service(home: Home, tmp_path) -> None:
    await _survives(home, tmp_path, count("F04", "operations"), signal.SIGINT)  # as `pg_ctl restart -m fast` does


async def test_s04_a_postmaster_killed_under_load_comes_back_with_everything_acknowledged(home: Home, tmp_path) -> None:
    await _survives(home, tmp_path, count("S04", "operations"), signal.SIGKILL)


async def _survives(home: Home, tmp_path, operations: int, how: signal.Signals) -> None:
    home.options.update({"embedded_fsync": True, "rate_per_minute": 1_000_000, "rate_address_per_minute": 1_000_000})
    settings, book = load_settings(**home.settings()), Book()
    service = Service(tmp_path, **home.settings())
    try:
        process = await asyncio.to_thread(service.start)
        first = home.state["pid"]
        learners = [Learner(settings, book) for _ in range(LEARNERS)]
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as client:
            stop = asyncio.Event()
            load = asyncio.create_task(keep_sending(learners, client, stop))
            await _until(lambda: book.operations > operations // 4, 60)
            os.kill(first, how)
            await _until(lambda: home.state["pid"] != first and home.state["status"] == "ready", 60)
            answered = book.answers[200]
            took = await _until(lambda: book.answers[200] > answered + LEARNERS, BACK_SECONDS)
            await _until(lambda: book.operations > operations, 120)
            stop.set()
            await load
            await asyncio.gather(*(learner.send_again(client) for learner in learners))
        assert service.pid == process
        assert took < BACK_SECONDS
        assert set(book.answers) == {200, 503}, "only 503, never 500 and never a cut connection"
        assert book.without_retry_after == 0
        assert book.longest < LONGEST_SECONDS + LATE_SECONDS
        await asyncio.to_thread(_compare, settings, book)
        proven(book, fault=home.state["pid"] != first and book.answers[503] > 0)
    finally:
        await asyncio.to_thread(service.close)


async def test_r13_a_database_that_hangs_makes_the_service_unready_and_never_dead(home: Home, tmp_path) -> None:
    """Whoever restarts what is not alive restarts nothing: the same process serves again once the database goes on."""
    service, stopped = Service(tmp_path, **home.settings()), list[int]()
    try:
        process = await asyncio.to_thread(service.start)
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as client:
            assert (await client.get("/api/health/ready")).status_code == 200
            stopped = processes_in(home.data)
            assert len(stopped) >= 3, "unknown: the server's processes were not found"
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            loop = asyncio.get_running_loop()
            began, answers = loop.time(), list[tuple[int, int, float]]()
            while [ready for ready, _, _ in answers].count(503) < 3:
                answers.append(await _probe(client))
                assert loop.time() - began < UNREADY_SECONDS, "readiness goes on to say yes"
                await asyncio.sleep(0.1)
            assert {live for _, live, _ in answers} == {200}
            assert max(took for _, _, took in answers) < LIVE_SECONDS + LATE_SECONDS
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            stopped = []
            began = loop.time()
            while (await client.get("/api/health/ready")).status_code != 200:
                assert loop.time() - began < BACK_SECONDS
                await asyncio.sleep(0.1)
        assert service.pid == process
        os.kill(process, 0)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        await asyncio.to_thread(service.close)


async def _probe(client: httpx.AsyncClient) -> tuple[int, int, float]:
    """What readiness and liveness answer when asked at once, and how long liveness took."""
    ready = asyncio.create_task(client.get("/api/health/ready"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    live = (await client.get("/api/health/live")).status_code
    took = loop.time() - began
    return (await ready).status_code, live, took


def _compare(settings, book: Book) -> None:
    async def look(url: str) -> list[str]:
        admin = await connect_plainly(url)
        try:
            return await broken(admin, book, settings.home)
        finally:
            await admin.close()

    with Embedded.start(settings) as embedded:
        assert asyncio.run(look(embedded.urls().admin)) == []


async def _until(holds, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not holds():
        assert loop.time() - began < seconds, "it did not come about in time"
        await asyncio.sleep(0.02)
    return loop.time() - began
