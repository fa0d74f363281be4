"""The nightly jobs as `osler.jobs` runs them, made from what each analytic declares.

`daily_stats`, `topic_stats` and the other counts work off changed days; `mastery` carries the live rows to the end of
the night; the refreshes then make their rows from both. Each chunk of learners is one fenced transaction, so a job
can be killed at any point and run again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from osler.analytics.contract import Analytic, DayRollup, Refresh, Task
from osler.analytics.registry import SETTLING, refreshes_of, rollups_of, tasks_of
from osler.db.faults import retrying
from osler.errors import Unavailable
from osler.jobs.leases import Fenced
from osler.jobs.run import Job, Run
from osler.rollups.first_look import wait_for_first_looks
from osler.rollups.handing_out import Taken, take, take_day
from osler.rollups.making import Making
from osler.rollups.settling import LEARNERS_AT_ONCE, next_learners, settle

CatchUp = Callable[[Run], Awaitable[None]]
"""Folds everybody whose newest events nobody has folded, and parks who cannot be."""

AS_OF = time(2, 0, tzinfo=UTC)


def nightly_jobs(analytics: Sequence[Analytic], catch_up: CatchUp) -> tuple[Job, ...]:
    """All nightly jobs in the order in which they are to run.

    `catch_up` folds what has not been folded yet, as the background may be behind: counts rest on item memories.
    """
    making = Making(analytics)
    return (
        *(_counting(making, rollup, catch_up) for rollup in making.rollups),
        _settling(analytics, catch_up),
        *(_refreshing(making, refresh) for refresh in making.refreshes),
        *(_task(task) for task in tasks_of(analytics)),
    )


def names_of_makers(analytics: Sequence[Analytic]) -> list[str]:
    """The jobs that count days or make rows as of an instant."""
    return [job.name for job in (*rollups_of(analytics), *refreshes_of(analytics))]


def as_of_night(day: date) -> datetime:
    """The instant that a night's rows are as of: the beginning of the brief's window."""
    return datetime.combine(day, AS_OF)


def _counting(making: Making, rollup: DayRollup, catch_up: CatchUp) -> Job:
    async def work(run: Run) -> None:
        await catch_up(run)
        await _hand_out(run, making)
        done = 0
        while counted := await _count_some(run, making, rollup):
            done += counted
            await run.progress("counting", done)

    return Job(name=rollup.name, what=f"counts changed days anew ({rollup.name})", work=work)


async def _count_some(run: Run, making: Making, rollup: DayRollup) -> int:
    """Count one chunk of changed days; where it raises, day by day, so that one day cannot hold up the others."""
    taken = Taken([], [])

    async def some() -> None:
        nonlocal taken
        async with run.write() as session:
            await wait_for_first_looks(session)
            taken = await take(session, rollup.name)
            if taken:
                await making.count(session, rollup, taken)

    try:
        await retrying(some)
    except (Fenced, Unavailable):
        raise
    except Exception:  # noqa: BLE001 - the day that raises is found and parked with its reason
        await _count_each(run, making, rollup, taken)
    return len(taken.user_ids)


async def _count_each(run: Run, making: Making, rollup: DayRollup, taken: Taken) -> None:
    for user_id, local_date in zip(taken.user_ids, taken.local_dates, strict=True):
        try:
            async with run.write() as session:
                await wait_for_first_looks(session)
                await take_day(session, rollup.name, user_id, local_date)
                await making.count(session, rollup, Taken([user_id], [local_date]))
        except Exception as failed:  # noqa: BLE001 - parked with its reason, or raised again by `park`
            await run.park(user_id, local_date, failed)
            async with run.write() as session:
                await take_day(session, rollup.name, user_id, local_date)


def _settling(analytics: Sequence[Analytic], catch_up: CatchUp) -> Job:
    async def work(run: Run) -> None:
        await catch_up(run)
        after, done = UUID(int=0), 0

        async def some() -> Sequence[UUID]:
            nonlocal done
            async with run.write() as session:
                chunk = await next_learners(session, after)
                settled = await settle(session, analytics, chunk, as_of_night(run.day)) if chunk else 0
            done += settled
            return chunk

        while chunk := await retrying(some):
            after = chunk[-1]
            await run.progress("settling", done)

    return Job(name=SETTLING, what="carries mastery and retrieval strength to the end of the night", work=work)


def _refreshing(making: Making, refresh: Refresh) -> Job:
    async def work(run: Run) -> None:
        after, done = UUID(int=0), 0

        async def some() -> Sequence[UUID]:
            async with run.write() as session:
                chunk = await next_learners(session, after, LEARNERS_AT_ONCE)
                if chunk:
                    await wait_for_first_looks(session)
                    await making.refresh(session, refresh, chunk, as_of_night(run.day))
            return chunk

        while chunk := await retrying(some):
            after, done = chunk[-1], done + len(chunk)
            await run.progress("refreshing", done)

    return Job(name=refresh.name, what=f"makes rows as of the night ({refresh.name})", work=work)


def _task(task: Task) -> Job:
    async def work(run: Run) -> None:
        await task.run(run.database, run.day, as_of_night(run.day))

    return Job(name=task.name, what=f"runs over everybody ({task.name})", work=work)


async def _hand_out(run: Run, making: Making) -> None:
    async def some() -> int:
        async with run.write() as session:
            return await making.hand_out(session)

    while await retrying(some):
        pass
