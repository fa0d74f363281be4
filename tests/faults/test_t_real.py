"""T01, T05 against the whole service: what the spool held is in the log, once, after Osler has come back."""

import asyncio
from uuid import uuid4

import pytest
from tests.support.real_osler import on_a_port
from tests.support.tracking import KEY, note, options
from tests.support.web import token

from osler.api.server import free_port
from osler.http.policy import Role
from osler.tracking import HttpSink, Osler

pytestmark = [pytest.mark.integration, pytest.mark.fault]

MANY = 300


async def _until(condition, seconds: float = 20.0) -> bool:
    for _ in range(round(seconds / 0.05)):
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False


async def test_t01_a_backlog_reaches_the_log_once_though_osler_goes_away_in_the_middle(
    settings, admin, tmp_path, monkeypatch
) -> None:
    port = free_port("127.0.0.1", 0)
    service = token(settings, uuid4(), Role.SERVICE_INGEST)
    sink = HttpSink(f"http://127.0.0.1:{port}", service)
    osler = Osler(sink, KEY, options(tmp_path, total_seconds=5.0, batch_events=40))
    try:
        for n in range(MANY):
            note(osler, n, user=f"subject-{n % 7}")
        assert await _until(lambda: osler.counts.failures >= 2), "Osler was not away"
        async with on_a_port(settings, port):
            assert await _until(lambda: osler.counts.delivered >= 40), osler.counts
        for n in range(MANY, MANY + 50):
            note(osler, n, user=f"subject-{n % 7}")
        failures = osler.counts.failures
        assert await _until(lambda: osler.counts.failures > failures), "Osler did not go away a second time"
        async with on_a_port(settings, port):
            assert await _until(lambda: osler.counts.delivered >= MANY + 50), osler.counts
    finally:
        await asyncio.to_thread(osler.close)
    assert (osler.counts.lost, osler.counts.dropped) == ({}, {})
    rows = await admin.fetch("select data->>'note_id', count(*) from study_events group by 1")
    assert {row[0]: row[1] for row in rows} == {f"n{n}": 1 for n in range(MANY + 50)}
