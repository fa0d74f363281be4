"""F01, F08: the service killed in the middle of a batch; the answer of the database lost after it had committed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import httpx
import pytest
from pydantic import SecretStr
from tests.support.fault_proxy import FaultProxy
from tests.support.invariants import broken, proven
from tests.support.load import Book, Learner
from tests.support.matrix import count
from tests.support.service import Service, as_json
from tests.support.web import serving
from tests.support.wire_events import event

from osler.eventlog.failpoints import POINTS
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

LEARNERS = 4


async def test_f01_a_service_killed_in_mid_batch_loses_nothing_that_it_answered(
    settings: Settings, admin, tmp_path
) -> None:
    book, killed, chance = Book(), Counter[str](), random.Random(1)
    learners = [Learner(settings, book, size=5) for _ in range(LEARNERS)]
    service = Service(tmp_path, **as_json(settings), rate_per_minute=1_000_000, rate_address_per_minute=1_000_000)
    try:
        for n in range(count("F01", "kills")):
            point = POINTS[n % len(POINTS)]
            # What is open is sent again first; then so many are answered, and then it dies.
            open_ones = sum(len(learner.open) for learner in learners)
            most = count("F01", "answered_before")
            nth = open_ones + chance.randint(most // 2, most) + 1
            service.start(failpoint=f"{point}:kill:{nth}")
            async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=10) as client:
                await asyncio.gather(*(learner.send_again(client) for learner in learners))
                await _send_until_it_dies(learners, client, service)
            killed[point] += 1
        service.start()
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=10) as client:
            await asyncio.gather(*(learner.send_again(client) for learner in learners))
            resent = [await learner.send(client, [event()]) for learner in learners]
        assert all(resent)
    finally:
        service.close()
    assert set(killed) == set(POINTS)
    assert set(book.statuses) == {"accepted", "duplicate"}, "a resend gives nothing else"
    assert book.ambiguous == set()
    assert await broken(admin, book, settings.home) == []
    proven(book, fault=killed.total() == count("F01", "kills"))


async def _send_until_it_dies(learners: list[Learner], client: httpx.AsyncClient, service: Service) -> None:
    async def one(learner: Learner) -> None:
        while await learner.send(client):
            pass

    await asyncio.gather(*(one(learner) for learner in learners))
    assert await asyncio.to_thread(service.wait) == -9, "unknown: it was not killed"


async def test_f08_an_answer_lost_after_the_commit_is_503_and_then_a_duplicate(
    settings: Settings, admin, tmp_path
) -> None:
    book, cuts = Book(), count("F08", "cuts")
    assert settings.database_url is not None
    async with FaultProxy(settings.database_url.get_secret_value(), tmp_path / "proxy") as proxy:
        away = {"database_url": SecretStr(proxy.through), "rate_per_minute": 1_000_000}
        async with serving(settings.model_copy(update=away)) as web:
            learner = Learner(settings, book)
            assert await learner.send(web.client)
            for _ in range(cuts):
                events = [event(), event()]
                proxy.armed.add(events[0]["id"].encode())
                assert not await learner.send(web.client, events)
                before = book.statuses["duplicate"]
                await learner.send_again(web.client)
                assert book.statuses["duplicate"] == before + 2
    assert proxy.cuts == cuts
    assert book.answers == {200: cuts + 1, 503: cuts}
    assert book.without_retry_after == 0
    assert await broken(admin, book, settings.home) == []
    rows = await admin.fetchval("select count(*) from study_events where user_id = $1", learner.user_id)
    assert rows == 10 + 2 * cuts
