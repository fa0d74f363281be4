"""The night makes months ahead, erases who asked for it, and drops months whose time is over, states kept first."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from osler.analytics.registry import analytics
from osler.catalog import writes
from osler.catalog.tables import users
from osler.db.engine import Database
from osler.db.partitions import prepared_until
from osler.jobs.leases import Status
from osler.worker.housekeeping import housekeeping_jobs
from osler.worker.night import night_of

pytestmark = pytest.mark.integration


def test_housekeeping_comes_after_the_counting(database: Database) -> None:
    names = [job.name for job in night_of(database).jobs]
    assert names[-3:] == ["partitions", "erasures", "retention"]
    assert [job.name for job in housekeeping_jobs(database, analytics())] == names[-3:]


async def test_the_months_ahead_are_there_after_it(database: Database) -> None:
    assert await night_of(database).run("partitions") is Status.SUCCEEDED
    now = await database.now()
    async with database.read() as session:
        until = await prepared_until(session)
    assert until
    assert all(found is not None and found > now + timedelta(days=85) for found in until.values())


async def test_who_asked_to_be_erased_is_gone_after_it(database: Database) -> None:
    asked, stays = uuid4(), uuid4()
    async with database.write() as session:
        for user_id in (asked, stays):
            await writes.ensure_user(session, user_id)
        await writes.request_erasure(session, asked)
    assert await night_of(database).run("erasures") is Status.SUCCEEDED
    async with database.read() as session:
        left = {row[0] for row in await session.tuples(sa.select(users.c.user_id))}
    assert stays in left
    assert asked not in left


async def test_retention_has_nothing_to_drop_in_a_young_log(database: Database) -> None:
    assert await night_of(database).run("retention") is Status.SUCCEEDED
