"""Learners are folded behind the answer of a batch, and found again when the queue has lost them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.learning import LEARNER, OTHER, START, derived, history, review, send, small_catalogue

from osler.analytics.registry import analytics
from osler.analytics.retrieval.tables import item_memory
from osler.analytics.states import declare_stale
from osler.db.engine import Database
from osler.live import draining
from osler.live.background import Background
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration


async def until(condition, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not come to pass")


async def test_a_woken_learner_is_folded_and_one_that_raises_stops_nobody(database: Database):
    await small_catalogue(database)
    await send(database, history(2))
    live = Live(database, analytics())
    folded: list[UUID] = []

    async def catch_up(user_id: UUID) -> None:
        if user_id == OTHER:
            raise RuntimeError("poison")
        await live.catch_up(user_id)
        folded.append(user_id)

    background = Background(database, catch_up)
    background.start()
    background.wake(OTHER)
    background.wake(LEARNER)

    async def done() -> bool:
        return LEARNER in folded

    await until(done)
    await background.stop()
    assert background.waiting == 0


async def test_what_a_full_queue_drops_the_sweep_finds_in_the_marks(database: Database):
    await small_catalogue(database)
    await send(database, history(1))
    background = Background(database, Live(database, analytics()).catch_up, limit=0)
    background.wake(LEARNER)
    assert background.waiting == 0
    background = Background(database, Live(database, analytics()).catch_up)
    assert await background.sweep_once() == 7
    assert background.waiting == 1


async def test_another_target_moves_due_days_once_the_learner_is_declared_stale(database: Database):
    await send(database, [review(START + timedelta(days=day), day, "c1", 3) for day in (0, 3, 12)])
    live = Live(database, analytics())
    await live.catch_up(LEARNER)
    before = (await derived(database, [item_memory], LEARNER))["item_memory"][0]["due_on"]
    async with database.write() as session:
        driver = session.driver()
        await driver.execute("update users set desired_retention = 0.8 where user_id = $1", LEARNER)
        await declare_stale(session, [LEARNER])
    await draining.drain(database, live)
    after = (await derived(database, [item_memory], LEARNER))["item_memory"][0]["due_on"]
    assert after > before
