"""F04, S04: PostgreSQL restarted or killed while clients send and read; the service itself stays."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest
from tests.support.embedded import Home
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
