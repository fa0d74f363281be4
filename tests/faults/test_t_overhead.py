"""T02, T11: whatever Osler does, the host answers the same, as quickly, in the same memory.

With OSLER_FULL=1 the 95th percentile is held against the table's ratio, which needs a quiet machine. The small run
holds what no load can blur: the processor time that tracking adds to the host, and that no request waits for it.
"""

import asyncio
import os
import statistics
import time
import tracemalloc
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from tests.support import tracking as t
from tests.support.asgi import ask
from tests.support.tracked_host import plain_host, tracked_host
from tests.support.tracking import note, tracking, until

pytestmark = pytest.mark.fault

IS_FULL = os.environ.get("OSLER_FULL") == "1"
ROUNDS, REQUESTS = (15, 2_000) if IS_FULL else (5, 80)
MOST_RATIO = 1.05
MOST_ADDED_SECONDS = 0.0005
OSLER_SECONDS = 1.0  # what a request would take at least that waited for a hanging Osler
WORK_SECONDS = 0.001  # a host that does anything at all waits a millisecond for it


@dataclass
class Took:
    """Of some requests: the 95th percentile and the longest, in seconds, and processor seconds each of this thread."""

    p95: float
    longest: float
    cpu: float


async def _took(app: FastAPI) -> Took:
    took: list[float] = []
    began_cpu = time.thread_time()
    for _ in range(REQUESTS):
        began = time.perf_counter()
        seen = await ask(app, "GET", "/works", x_subject="s1")
        took.append(time.perf_counter() - began)
        assert (seen.status, seen.body) == (200, b"{}")
    cpu = (time.thread_time() - began_cpu) / REQUESTS
    return Took(statistics.quantiles(took, n=20)[-1], max(took), cpu)


def _with_work(app):
    @app.get("/works")
    async def works() -> dict[str, str]:
        await asyncio.sleep(WORK_SECONDS)
        return {}

    return app


FAULTS = {"up": t.take, "hangs after accept": t.hang, "drips": t.drip, "fails": t.says(500), "refuses": None}


@pytest.mark.parametrize("what", FAULTS)
async def test_t02_the_host_is_as_quick_and_answers_the_same(what: str, tmp_path) -> None:
    with t.listening() as server:
        url = server.url if FAULTS[what] else "http://127.0.0.1:9"
        with tracking(url, tmp_path, flush_seconds=0.2, send_seconds=1.0, shutdown_seconds=0.3) as osler:
            server.otherwise = FAULTS[what] or t.take
            bare, tracked = _with_work(plain_host()), _with_work(tracked_host(osler))
            await _took(bare)
            await _took(tracked)
            pairs: list[tuple[Took, Took]] = []
            for n in range(ROUNDS):
                first, second = [await _took(app) for app in ((bare, tracked) if n % 2 else (tracked, bare))]
                pairs.append((first, second) if n % 2 else (second, first))
            assert statistics.median(tracked.cpu - bare.cpu for bare, tracked in pairs) <= MOST_ADDED_SECONDS, pairs
            assert statistics.median(tracked.longest for _, tracked in pairs) < OSLER_SECONDS, pairs
            if IS_FULL:
                assert statistics.median(tracked.p95 / bare.p95 for bare, tracked in pairs) <= MOST_RATIO, pairs
            assert not osler.refused
            assert not osler.counts.dropped
            _assert_it_happened(what, server, osler)


def _assert_it_happened(what: str, server: t.Server, osler) -> None:
    if what == "up":
        assert until(lambda: osler.counts.delivered > 0)
    elif what in ("hangs after accept", "drips"):
        assert server.hanging.is_set()
        assert until(lambda: osler.counts.failures > 0), "a dripping server was never given up"
    else:
        assert until(lambda: osler.counts.failures > 0)


def test_t02_a_server_that_drips_is_given_up_in_time(tmp_path) -> None:
    """Each byte comes in time for every time-out between bytes; the exchange as a whole has an end."""
    with t.listening() as server, tracking(server.url, tmp_path, total_seconds=0.5, shutdown_seconds=0.3) as osler:
        server.otherwise = t.drip
        note(osler, 1)
        assert server.hanging.wait(5)
        began = time.monotonic()
        assert until(lambda: osler.counts.failures == 1)
        assert time.monotonic() - began < 2.0


def test_t02_memory_is_bounded_while_nobody_takes_anything(tmp_path) -> None:
    (tmp_path / "spool").write_text("no folder can be made here: everything stays in memory")
    with tracking("http://127.0.0.1:9", tmp_path, shutdown_seconds=0.2) as osler:
        osler.start()
        note(osler, 0)
        tracemalloc.start()
        try:
            for n in range(11_500):
                note(osler, n)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert until(lambda: osler.counts.dropped.total() >= 1_500), "memory was never full"
        assert grown <= 20 * 1024 * 1024


def test_t11_an_event_is_queued_in_microseconds(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        data = {"route": "/x/{id}", "method": "GET", "status": 200, "duration_ms": 3, "client": "Other"}
        rounds: list[tuple[float, float]] = []
        for _ in range(5):
            took: list[float] = []
            for _ in range(1_000):
                began = time.perf_counter()
                osler.track_nowait("api_request", user="s1", data=data)
                took.append((time.perf_counter() - began) * 1e6)
            rounds.append((statistics.median(took), statistics.quantiles(took, n=100)[-1]))
            time.sleep(0.05)
    p50, p99 = (min(values) for values in zip(*rounds, strict=True))
    slack = 1 if IS_FULL else 3
    assert p50 <= 50 * slack, rounds
    assert p99 <= 500 * slack, rounds
