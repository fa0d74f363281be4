"""Who wants several learners takes them in one order: nobody waits in a circle for a fold that has some of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.learning import START, TOPICS, answer, history, send, small_catalogue

from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale, fold_anew_who_knows
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.eventlog import learner_locks
from osler.live.catch_up import Live
from osler.rollups.settling import settle

pytestmark = pytest.mark.integration

# The one who is taken first has the greater id and is stored last: by either of these the order would be another.
EARLIER = UUID("ffff0000-0000-4000-8000-0000ffffff00")
LATER = UUID("5f0c0000-0000-4000-8000-000000000001")
BOTH = [LATER, EARLIER]


Changes = Callable[[WriteSession], Awaitable[None]]


async def changes(database: Database, other: Changes) -> None:
    async with database.write() as session:
        await other(session)


async def _stale(session: WriteSession) -> None:
    await declare_stale(session, BOTH)


async def _everybody_stale(session: WriteSession) -> None:
    await declare_stale(session, None)


async def _anew(session: WriteSession) -> None:
    await fold_anew_who_knows(session, TOPICS)


async def _settle(session: WriteSession) -> None:
    await settle(session, analytics(), BOTH, (await session.driver().fetchval("select now()")))


async def waits(admin: Driver, other: asyncio.Future[None]) -> None:
    """Until a session waits for another one's row: the proof that the two met."""
    for _ in range(1000):
        if other.done():
            await other
        if await admin.fetchval("select count(*) from pg_locks where locktype = 'transactionid' and not granted"):
            return
        await asyncio.sleep(0.02)
    pytest.fail("unknown: nobody waited")


def test_the_order_in_sql_is_the_order_in_python():
    assert learner_locks.order(EARLIER) < learner_locks.order(LATER)
    assert EARLIER > LATER


async def test_keys_are_ordered_alike_on_both_sides(admin: Driver):
    ids = [UUID(int=(7919 * n * 2**95 + n * 0x9E3779B97F4A7C15) % 2**128) for n in range(500)]
    by_sql = learner_locks.ORDER.format(user_id="u")
    found = await admin.fetch(f"select u from unnest($1::uuid[]) as t(u) order by {by_sql}", ids)
    assert [row["u"] for row in found] == sorted(ids, key=learner_locks.order)


async def begun(database: Database) -> Live:
    """Both are folded, and have one more answer to fold."""
    await small_catalogue(database)
    live = Live(database, analytics())
    for learner in BOTH:
        await send(database, history(2), learner)
        await live.catch_up(learner)
        await send(database, [answer(START + timedelta(days=9), 900, "q1", right=True)], learner)
    return live


@pytest.mark.parametrize("other", [_stale, _everybody_stale, _anew])
async def test_who_declares_both_stale_waits_for_a_fold_of_both(database: Database, admin: Driver, other: Changes):
    live = await begun(database)
    async with database.write() as session:
        assert await live.catch_up_in(session, EARLIER) == 1
        changing = asyncio.ensure_future(changes(database, other))
        await waits(admin, changing)
        assert await live.catch_up_in(session, LATER) == 1
    await changing
    assert await admin.fetchval("select count(*) from learner_states where is_stale") == 2


async def test_who_carries_both_forward_waits_for_one_who_declares_both_stale(database: Database, admin: Driver):
    await begun(database)
    one = "update learner_states set is_stale = true where user_id = $1"
    async with database.write() as session:
        await session.driver().execute(one, EARLIER)  # as far as a statement about both has come
        changing = asyncio.ensure_future(changes(database, _settle))
        await waits(admin, changing)
        await session.driver().execute(one, LATER)
    await changing
    assert await admin.fetchval("select count(*) from learner_states where is_stale") == 2
