"""F15, F16, F17, F20 on a toy job: killed at any stage, rung ten times, woken late, given poison."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.jobs.conftest import PERIOD, Toy, write_stage
from tests.support.matrix import count

from osler.db.engine import Database
from osler.jobs import parking
from osler.jobs.leases import Fenced, Status
from osler.jobs.queries import last_success_at, parked_counts, recent_runs
from osler.jobs.run import Run, run_due, run_once

pytestmark = pytest.mark.integration
WHOLE = [(f"q{stage}", 10 + stage) for stage in range(Toy.stages)]


class Killed(BaseException):
    """Ends a run without a last word, as SIGKILL does."""


@pytest.mark.fault
@pytest.mark.parametrize("at_stage", range(Toy.stages))
async def test_f15_a_run_killed_at_a_stage_is_finished_by_the_next(toy: Toy, database: Database, at_stage: int) -> None:
    async def die(run: Run) -> None:
        for stage in range(at_stage):
            async with run.write() as s:
                await write_stage(s, stage)
        raise Killed

    with pytest.raises(Killed):
        await run_once(database, toy.job(work=die, lease_seconds=0.05), PERIOD)
    assert await toy.statuses() == ["running"]  # it could not even say that it died
    await asyncio.sleep(0.1)
    assert await run_once(database, toy.job(), PERIOD) is Status.SUCCEEDED
    assert await toy.digest() == WHOLE
    assert await toy.statuses() == ["lost", "succeeded"]


@pytest.mark.fault
async def test_f16_a_job_rung_ten_times_at_once_runs_once(toy: Toy, database: Database) -> None:
    started = asyncio.get_running_loop().time()
    waits: list[float] = []

    async def ring() -> Status | None:
        status = await run_once(database, toy.job(), PERIOD)
        if status is None:
            waits.append(asyncio.get_running_loop().time() - started)
        return status

    ended = await asyncio.gather(*(ring() for _ in range(10)))
    assert [status for status in ended if status] == [Status.SUCCEEDED]
    assert toy.runs == 1
    assert len(waits) == 9
    assert max(waits) < 1
    assert await toy.digest() == WHOLE


@pytest.mark.fault
async def test_f17_a_paused_run_wakes_and_writes_nothing(toy: Toy, database: Database) -> None:
    for n in range(count("F17", "rounds")):
        await _wakes_too_late(toy, database, f"2026-10-{n + 1:02}")
    assert await toy.digest() == WHOLE
    assert sorted(await toy.statuses()) == sorted(["lost", "succeeded"] * count("F17", "rounds"))


async def _wakes_too_late(toy: Toy, database: Database, period: str) -> None:
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def doze(run: Run) -> None:
        asleep.set()
        await wake.wait()
        async with run.write() as s:
            await s.execute(sa.text("insert into questions (question_id) values ('stale')"))

    paused = asyncio.create_task(run_once(database, toy.job(work=doze, lease_seconds=600), period))
    await asleep.wait()
    async with database.write() as s:  # what a pause of the process does: its lease runs out unseen
        await s.execute(sa.text("update job_runs set lease_until = now() - interval '1 day'"))
    assert await run_once(database, toy.job(), period) is Status.SUCCEEDED
    wake.set()
    with pytest.raises(Fenced):
        await paused


@pytest.mark.fault
async def test_f17_a_bell_that_rings_days_later_finds_nothing_to_do(toy: Toy, database: Database) -> None:
    assert await run_once(database, toy.job(), PERIOD) is Status.SUCCEEDED
    assert await run_once(database, toy.job(), PERIOD) is None
    assert toy.runs == 1


@pytest.mark.fault
async def test_f20_one_poison_learner_day_is_set_aside_and_all_others_are_done(toy: Toy, database: Database) -> None:
    learners = [UUID(int=number) for number in range(1, 6)]
    poison, day, done = learners[2], date(2026, 11, 21), set[UUID]()

    def compute(learner: UUID) -> None:
        if learner == poison:
            raise ValueError("a text that may quote what a person wrote")
        done.add(learner)

    async def work(run: Run) -> None:
        for learner in learners:
            try:
                compute(learner)
            except ValueError as failed:
                await run.park(learner, day, failed)

    assert await run_once(database, toy.job(work=work), PERIOD) is Status.PARTIAL
    assert done == set(learners) - {poison}
    async with database.read() as s:
        (found,) = await parking.parked(s, "toy")
        assert (found.user_id, found.local_date, found.reason, found.tries) == (poison, day, "ValueError", 1)
        assert await parked_counts(s) == {"toy": 1}
        (record,) = await recent_runs(s, "toy")
        assert (record.status, record.parked) == ("partial", 1)
    async with database.write() as s:
        assert await parking.release(s, "toy") == [(poison, day)]


async def test_an_error_is_recorded_by_its_kind_and_raised(toy: Toy, database: Database) -> None:
    async def fail(run: Run) -> None:
        raise KeyError("secret")

    with pytest.raises(KeyError):
        await run_once(database, toy.job(work=fail), PERIOD)
    async with database.read() as s:
        (record,) = await recent_runs(s)
    assert (record.status, record.reason) == ("failed", "KeyError")


async def test_losing_the_lease_stops_the_work(toy: Toy, database: Database) -> None:
    async def linger(run: Run) -> None:
        async with database.write() as s:
            await s.execute(sa.text("update job_runs set status = 'lost'"))
        await asyncio.sleep(30)

    with pytest.raises(Fenced):
        await asyncio.wait_for(run_once(database, toy.job(work=linger, lease_seconds=0.3), PERIOD), timeout=5)


async def test_a_long_run_keeps_its_lease(toy: Toy, database: Database) -> None:
    async def linger(run: Run) -> None:
        await asyncio.sleep(1.2)
        assert await run_once(database, toy.job(), PERIOD) is None

    assert await run_once(database, toy.job(work=linger, lease_seconds=0.6), PERIOD) is Status.SUCCEEDED


async def test_due_work_is_found_from_the_database(toy: Toy, database: Database) -> None:
    assert await run_due(database, toy.job()) == [Status.SUCCEEDED]
    assert await run_due(database, toy.job()) == []
    async with database.read() as s:
        assert set(await last_success_at(s)) == {"toy"}
        assert [(record.done, record.total) for record in await recent_runs(s)] == [(5, 5)]
