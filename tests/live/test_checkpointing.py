"""A refold from a checkpoint ends where a refold from the beginning ends."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from tests.support.learning import LEARNER, START, derived, history, send, small_catalogue

from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale
from osler.db.engine import Database
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.replay import Replay
from osler.rollups.draining import drain
from osler.rollups.settling import settle

pytestmark = pytest.mark.integration

TABLES = [found.table for analytic in analytics() if analytic.live for found in analytic.tables]

LIVE_AND_COUNTED = {table.name for table in TABLES} | {"weekly_user_stats"}


def without_generation(found):
    return {name: [{k: v for k, v in row.items() if k != "generation"} for row in rows] for name, rows in found.items()}


@pytest.mark.parametrize("settled_after_days", [None, 5, 25])
async def test_a_refold_goes_on_from_the_checkpoint_and_ends_in_the_same_rows(
    database: Database, settled_after_days: int | None
):
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, history(30))
    await live.catch_up(LEARNER)
    if settled_after_days is not None:
        async with database.write() as session:
            await settle(session, analytics(), [LEARNER], START + timedelta(days=settled_after_days))
    await drain(database, analytics(), as_of=START + timedelta(days=31))
    before = await derived(database, TABLES, LEARNER)
    assert await checkpoint_before(database, analytics(), live, START + timedelta(days=12)) == 1
    assert await derived(database, TABLES, LEARNER) == before
    async with database.write() as session:
        await declare_stale(session, [LEARNER])
    refolded = await live.catch_up(LEARNER)
    assert refolded.is_refold
    assert 0 < refolded.events < len(history(30))
    assert without_generation(await derived(database, TABLES, LEARNER)) == without_generation(before)


async def test_a_second_checkpoint_goes_on_from_the_first(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, history(20))
    await live.catch_up(LEARNER)
    for days in (6, 6, 12):
        await checkpoint_before(database, analytics(), live, START + timedelta(days=days))
    before = await derived(database, TABLES, LEARNER)
    async with database.write() as session:
        await declare_stale(session, [LEARNER])
    assert (await live.catch_up(LEARNER)).events < 60
    assert without_generation(await derived(database, TABLES, LEARNER)) == without_generation(before)


async def test_a_replay_is_equal_after_the_months_before_the_checkpoint_have_left_the_log(database: Database, admin):
    await small_catalogue(database)
    live = Live(database, analytics())
    old = START.replace(day=1) - timedelta(days=20)
    await send(database, history(45, start=old))
    await draining.drain(database, live)
    await drain(database, analytics())
    edge = START.replace(day=1, hour=0, tzinfo=UTC)
    await checkpoint_before(database, analytics(), live, edge)
    for table in ("study_events", "question_attempts", "material_interactions"):
        await admin.execute(f"drop table {table}_p{old:%Y_%m}")
    report = await Replay(database, analytics()).verify()
    unequal = {name: found for name, found in report.tables.items() if not found.equal}
    assert not {name for name in unequal if name in LIVE_AND_COUNTED}, unequal
