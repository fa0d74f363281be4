"""The night's jobs as processes see them: in order, once, found in the database, fenced."""

from __future__ import annotations

import asyncio
import functools
import operator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, START, answer, derived, history, send
from tests.support.nightly import enrol, exam_catalogue

from osler.analytics.efficiency.tables import daily_user_stats, weekly_user_stats
from osler.analytics.gaps.tables import knowledge_gaps
from osler.analytics.readiness.tables import user_learning_metrics
from osler.db.engine import Database
from osler.errors import NotFound
from osler.jobs.queries import recent_runs
from osler.worker.night import night_of
from osler.worker.scheduler import ringing

pytestmark = pytest.mark.integration
TABLES = [daily_user_stats, weekly_user_stats, knowledge_gaps, user_learning_metrics]


async def runs(database: Database) -> list[tuple[str, str]]:
    async with database.read() as s:
        return [(run.job, run.status) for run in reversed(await recent_runs(s, limit=100))]


async def test_a_ring_runs_every_job_in_order_and_the_next_has_nothing_to_do(database: Database):
    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(10))
    night = night_of(database)
    ended = await night.ring()
    names = [job.name for job in night.jobs]
    assert list(ended) == names
    assert set(functools.reduce(operator.iadd, ended.values(), [])) == {"succeeded"}
    for earlier, later in (("daily_stats", "weekly_stats"), ("weekly_stats", "mastery"), ("mastery", "gaps"),
                           ("gaps", "rolling"), ("rolling", "readiness")):  # fmt: skip
        assert names.index(earlier) < names.index(later)
    found = await derived(database, TABLES, LEARNER)
    assert len(found["daily_user_stats"]) == 10
    assert found["knowledge_gaps"]
    assert found["user_learning_metrics"]
    assert await night.ring() == {}


async def test_two_schedulers_run_each_job_once(database: Database):
    await exam_catalogue(database)
    await send(database, history(5))
    nights = [night_of(database) for _ in range(4)]
    await asyncio.gather(*(night.ring() for night in nights))
    while await nights[0].ring():
        pass
    ended = await runs(database)
    assert sorted(job for job, status in ended if status == "succeeded") == sorted(j.name for j in nights[0].jobs)


async def test_what_arrives_after_the_night_is_counted_in_the_next(database: Database):
    await exam_catalogue(database)
    await send(database, history(3))
    night = night_of(database)
    await night.ring()
    await send(database, [answer(START + timedelta(days=3), 900, "q1", right=True)])
    assert len((await derived(database, TABLES, LEARNER))["daily_user_stats"]) == 3
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    for job in night.jobs:
        assert await night.run(job.name, tomorrow) is not None
    assert len((await derived(database, TABLES, LEARNER))["daily_user_stats"]) == 4


async def test_running_a_night_again_changes_nothing(database: Database):
    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(6))
    night = night_of(database)
    await night.ring()
    before = await derived(database, TABLES, LEARNER)
    for job in night.jobs:
        assert await night.run(job.name, again=True) is not None
    assert await derived(database, TABLES, LEARNER) == before


async def test_a_job_that_fails_holds_up_what_stands_on_it_until_it_is_parked(database: Database, monkeypatch):
    await exam_catalogue(database)
    await send(database, history(2))
    night = night_of(database)
    async with database.write() as s:
        await s.execute(sa.text("select 1"))
    broken = night.named("weekly_stats")

    async def breaks(_run: object) -> None:
        raise RuntimeError("out of order")

    object.__setattr__(broken, "work", breaks)
    ended = await night.ring()
    assert ended["weekly_stats"] == ["failed"]
    assert "gaps" not in ended
    assert await night.ring() == {}, "the next try waits"


async def test_an_unknown_job_is_named_with_those_there_are(database: Database):
    with pytest.raises(NotFound, match=r"there are .*daily_stats"):
        await night_of(database).run("dayly_stats")


async def test_the_bell_rings_at_once_and_goes_on_after_a_failure():
    rung, thrice = 0, asyncio.Event()

    async def bell() -> None:
        nonlocal rung
        rung += 1
        if rung == 3:
            thrice.set()
        raise ValueError

    async with ringing(bell, every_seconds=0.05), asyncio.timeout(30):
        await thrice.wait()
    settled = rung
    await asyncio.sleep(0.15)
    assert rung == settled
