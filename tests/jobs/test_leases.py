"""One holder at a time, proved by a fence; what ended badly waits, is tried again, then set aside."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from osler.db.engine import Database
from osler.jobs import leases
from osler.jobs.leases import Fenced, Status, Token

pytestmark = pytest.mark.integration
PERIOD = "2026-11-22"


async def claim(database: Database, *, again: bool = False, lease_seconds: float = 30) -> Token | None:
    async with database.write() as s:
        return await leases.claim(s, "toy", PERIOD, holder="test", lease_seconds=lease_seconds, again=again)


async def claimed(database: Database, *, lease_seconds: float = 30) -> Token:
    token = await claim(database, lease_seconds=lease_seconds)
    assert token is not None
    return token


async def end_badly(database: Database, token: Token, tries: int) -> Status:
    async with database.write() as s:
        return await leases.fail(s, token, "ValueError", seconds=1.0, tries=tries)


async def forget_the_wait(database: Database) -> None:
    async with database.write() as s:
        await s.execute(sa.text("update job_runs set not_before = null"))


async def test_a_held_job_is_not_given_away(database: Database) -> None:
    await claimed(database)
    assert await claim(database) is None


async def test_ten_claims_at_once_give_one_token(database: Database) -> None:
    tokens = await asyncio.gather(*(claim(database) for _ in range(10)))
    assert sum(token is not None for token in tokens) == 1


async def test_a_lease_that_ran_out_is_taken_over_with_a_higher_fence(database: Database) -> None:
    first = await claimed(database, lease_seconds=0)
    second = await claimed(database)
    assert second.fence > first.fence
    async with database.write() as s:
        assert not await leases.renew(s, first)
        assert await leases.renew(s, second)


async def test_a_writer_in_the_middle_of_its_transaction_keeps_its_right(database: Database) -> None:
    first = await claimed(database, lease_seconds=0)
    async with database.write() as writing:
        await leases.check(writing, first)
        assert await claim(database) is None
    assert await claim(database) is not None


async def test_a_stale_token_writes_nothing(database: Database) -> None:
    stale = await claimed(database, lease_seconds=0)
    await claimed(database)

    async def write() -> None:
        async with database.write() as s:
            await s.execute(sa.text("insert into questions (question_id) values ('q')"))
            await leases.check(s, stale)

    with pytest.raises(Fenced):
        await write()
    async with database.read() as s:
        assert await s.scalar(sa.text("select count(*) from questions")) == 0


async def test_a_heartbeat_passes_a_long_transaction_of_its_own_run(database: Database) -> None:
    token = await claimed(database)
    async with database.write() as writing:
        await leases.check(writing, token)
        async with database.write() as beat:
            assert await leases.renew(beat, token)


async def test_success_is_unique_and_can_be_asked_for_again(database: Database) -> None:
    token = await claimed(database)
    async with database.write() as s:
        assert await leases.finish(s, token, seconds=1.0) is Status.SUCCEEDED
    assert await claim(database) is None
    assert await claim(database, again=True) is not None


async def test_three_bad_ends_park_the_period(database: Database) -> None:
    for tries in (1, 2):
        token = await claimed(database)
        assert await end_badly(database, token, tries) is Status.FAILED
        assert await claim(database) is None  # it waits first
        await forget_the_wait(database)
    assert await end_badly(database, await claimed(database), 3) is Status.PARKED
    await forget_the_wait(database)
    assert await claim(database) is None
    assert await claim(database, again=True) is not None
