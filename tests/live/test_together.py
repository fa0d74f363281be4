"""Many learners are folded some to a transaction; one that raises is found, named, and holds up nobody."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.learning import history, send, small_catalogue

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.jobs.telling import silent
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.together import Failed, FoldOne, Together

pytestmark = pytest.mark.integration

CLASS = [UUID(int=(0x0C1A55 << 104) + n * 0x9E3779B9 % 2**32) for n in range(1, 13)]
POISON = CLASS[4]


async def class_of_twelve(database: Database) -> None:
    await small_catalogue(database)
    for user_id in CLASS:
        await send(database, history(1), user_id)


async def behind(database: Database) -> set[UUID]:
    async with database.read(primary=True) as session:
        return {row[0] for row in await session.tuples(sa.text("select user_id from dirty_days where consumer='live'"))}


class Poisoned(Live):
    """Raises once it has written half of one learner's rows."""

    async def catch_up_in(self, session: WriteSession, user_id: UUID) -> int:
        folded = await super().catch_up_in(session, user_id)
        if user_id == POISON:
            raise ArithmeticError("of one learner alone")
        return folded


async def test_f20_one_poison_learner_is_named_and_all_others_are_folded(database: Database):
    await class_of_twelve(database)
    named: list[tuple[UUID, str]] = []
    told = 0

    async def failed(user_id: UUID, error: Exception) -> None:
        named.append((user_id, type(error).__name__))

    async def count(n: int) -> None:
        nonlocal told
        told += n

    folded = await drain(database, Poisoned(database, analytics()), failed=failed, told=count)
    assert named == [(POISON, "ArithmeticError")]
    assert await behind(database) == {POISON}, "the marks stay, as nothing of the learner was folded"
    assert (folded, told) == (11 * 7, 12)


async def test_a_drain_that_nobody_listens_to_raises_once_the_others_are_done(database: Database):
    await class_of_twelve(database)
    with pytest.raises(ArithmeticError):
        await drain(database, Poisoned(database, analytics()))
    assert await behind(database) == {POISON}
    assert await drain(database, Live(database, analytics())) == 7


async def never(_: UUID, error: Exception) -> None:
    raise error


def together(database: Database, fold_one: FoldOne, *, failed: Failed = never, seconds: float = 9.0) -> Together:
    def transaction() -> AbstractAsyncContextManager[WriteSession]:
        return database.write()

    return Together(transaction, fold_one, failed, silent, seconds_a_commit=seconds)


@pytest.mark.parametrize(("seconds", "transactions"), [(9.0, 2), (-1.0, 12)])
async def test_a_group_ends_after_ten_learners_or_when_its_time_is_over(
    database: Database, seconds: float, transactions: int
):
    seen: list[int] = []

    async def note(session: WriteSession, _: UUID) -> int:
        seen.append(await session.driver().fetchval("select txid_current()"))
        return 1

    assert await together(database, note, seconds=seconds).fold(CLASS) == 12
    assert len(set(seen)) == transactions


async def test_two_who_fold_the_same_learners_in_opposite_orders_never_wait_in_a_circle(database: Database):
    await class_of_twelve(database)
    live = Live(database, analytics())

    async def slowly(session: WriteSession, user_id: UUID) -> int:
        folded = await live.catch_up_in(session, user_id)
        await asyncio.sleep(0.01)  # the other takes the next lock meanwhile
        return folded

    runs = [together(database, slowly).fold(users) for users in (CLASS, CLASS[::-1])]
    assert sum(await asyncio.gather(*runs)) == 12 * 7, "each was folded by one of them"
    assert not await behind(database)


async def test_what_makes_every_learner_fail_ends_the_work(database: Database):
    async def lost(_: WriteSession, __: UUID) -> int:
        raise LookupError("not of a learner")

    tried: list[UUID] = []

    async def failed(user_id: UUID, error: Exception) -> None:
        tried.append(user_id)
        raise error

    with pytest.raises(LookupError):
        await together(database, lost, failed=failed).fold(CLASS)
    assert len(tried) <= 4, "one a group at most"
