"""Runs a job for a period: claims it, keeps the lease, fences its writes, and leaves a record however it ends."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from osler.clock import monotonic_seconds
from osler.db.engine import Database
from osler.db.faults import retrying
from osler.db.session import ReadSession, WriteSession
from osler.errors import OslerError, Unavailable
from osler.jobs import leases, parking
from osler.jobs.leases import Fenced, Status, Token
from osler.jobs.periods import NIGHT, Cadence, Window, due_periods, parse_period, period_key
from osler.jobs.queries import succeeded
from osler.jobs.telling import Told
from osler.observe.traces import span

SAID_EACH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """What runs by itself. `work` is idempotent and writes through the run alone.

    `each` says that every missed period has work of its own; else the newest is enough (jobs that work off marks).
    """

    name: str
    what: str
    work: Callable[[Run], Awaitable[None]]
    cadence: Cadence = Cadence.DAILY
    each: bool = False
    window: Window = NIGHT
    lease_seconds: float = leases.LEASE_SECONDS
    max_tries: int = leases.MAX_TRIES


@dataclass(slots=True)
class Run:
    """One run of a job: its right to write, its period, its progress; `began` on the monotonic clock."""

    database: Database
    token: Token
    day: date
    parked: int = 0
    began: float = field(default_factory=monotonic_seconds)

    @property
    def seconds(self) -> float:
        """How long it has run, whatever clocks have been set to meanwhile."""
        return monotonic_seconds() - self.began

    @asynccontextmanager
    async def write(self, *, is_durable: bool = True, keeps_plans: bool = False) -> AsyncGenerator[WriteSession]:
        """A transaction that proves the token first, otherwise as of the database. Errors: Fenced, nothing written."""
        limit = self.database.settings.job_statement_timeout_seconds
        async with self.database.write(
            statement_timeout_seconds=limit, is_durable=is_durable, keeps_plans=keeps_plans
        ) as s:
            await leases.check(s, self.token)
            yield s

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadSession]:
        """A read-only transaction on the primary, with the time a job may take."""
        limit = self.database.settings.job_statement_timeout_seconds
        async with self.database.read(primary=True, statement_timeout_seconds=limit) as s:
            yield s

    async def progress(self, stage: str, done: int = 0, total: int | None = None) -> None:
        """Say how far it is."""
        async with self.database.write() as s:
            await leases.report(s, self.token, stage, done=done, total=total)

    def counting(self, stage: str, total: int | None = None, done: int = 0) -> Told:
        """Is to be told of so many more each time, and says how far it is, once a second at most."""
        said = self.began

        async def more(n: int) -> None:
            nonlocal done, said
            done += n
            if monotonic_seconds() - said > SAID_EACH_SECONDS:
                said = monotonic_seconds()
                await self.progress(stage, done, total)

        return more

    async def park(self, user_id: UUID, local_date: date, failed: Exception) -> None:
        """Set a learner-day aside because of `failed` and go on with the others. Errors: Fenced.

        What is no fault of the learner-day (a lost lease, a database that is away) is raised again instead.
        """
        if isinstance(failed, (Fenced, Unavailable)):
            raise failed
        async with self.write() as s:
            reason = parking.reason_of(failed)
            await parking.park(s, self.token.job, user_id, local_date, period=self.token.period, reason=reason)
        self.parked += 1


async def run_once(database: Database, job: Job, period: str, *, again: bool = False) -> Status | None:
    """Run a job for a period unless it succeeded or is held; None when there was nothing to do.

    Errors: what `work` raised, after it was recorded; Fenced when the lease was lost.
    """
    day = parse_period(period)

    async def claim() -> Token | None:
        async with database.write() as s:
            return await leases.claim(
                s,
                job.name,
                period,
                holder=holder(),
                lease_seconds=job.lease_seconds,
                max_tries=job.max_tries,
                again=again,
            )

    token = await retrying(claim)
    if token is None:
        return None
    with span(f"job {job.name}") as told:
        told.note("osler.job_name", job.name)
        told.note("osler.period", period)
        status = await _run(database, job, token, Run(database, token, day))
        told.note("osler.status", status.value)
    return status


async def _run(database: Database, job: Job, token: Token, run: Run) -> Status:
    try:
        await _work_under_lease(job, run)
        async with database.write() as s:
            return await leases.finish(s, token, seconds=run.seconds, parked=run.parked)
    except Fenced:
        raise
    except (Exception, asyncio.CancelledError) as failed:
        with suppress(OslerError):  # the database may be what failed; the lease then runs out by itself
            await asyncio.shield(_record_failure(database, job, run, failed))
        raise


async def run_due(database: Database, job: Job, *, first: date | None = None) -> list[Status]:
    """Run every period of a job that is without success by the database's clock, oldest first."""
    async with database.read(primary=True) as s:
        done = await succeeded(s, job.name)
    at = await database.now()
    ended: list[Status] = []
    for day in due_periods(at, job.cadence, done, first=first, each=job.each, window=job.window):
        status = await run_once(database, job, period_key(day))
        if status is not None:
            ended.append(status)
    return ended


def holder() -> str:
    """Which process runs: host and pid."""
    return f"{socket.gethostname()} {os.getpid()}"


async def _work_under_lease(job: Job, run: Run) -> None:
    """Work and heartbeat side by side; a lost lease cancels the work."""
    work = asyncio.ensure_future(job.work(run))
    beat = asyncio.ensure_future(_beat(job, run))
    try:
        await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            beat.result()
        await work
    finally:
        for task in (work, beat):
            task.cancel()
        await asyncio.gather(work, beat, return_exceptions=True)


async def _beat(job: Job, run: Run) -> None:
    """Renew at a third of the lease. Errors: Fenced when it is lost; a database that is away is asked again."""
    while True:
        await asyncio.sleep(job.lease_seconds / 3)
        with suppress(Unavailable):
            async with run.database.write() as s:
                if not await leases.renew(s, run.token, lease_seconds=job.lease_seconds):
                    msg = f"job {run.token.job} for {run.token.period} lost its lease"
                    raise Fenced(msg)


async def _record_failure(database: Database, job: Job, run: Run, failed: BaseException) -> None:
    async with database.write() as s:
        tries, reason = 1 + await leases.bad_tries(s, run.token), parking.reason_of(failed)
        await leases.fail(s, run.token, reason, seconds=run.seconds, tries=tries, max_tries=job.max_tries)
