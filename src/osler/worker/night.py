"""What is due now? The database decides; whoever rings, and however often, the same jobs run once."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.errors import NotFound, OslerError
from osler.http.cache.news import announce
from osler.jobs.leases import ENDED_WELL, Fenced, Status
from osler.jobs.parking import release
from osler.jobs.periods import last_opened, period_key
from osler.jobs.queries import recent_runs
from osler.jobs.run import Job, run_due, run_once
from osler.live.catch_up import Live
from osler.observe import metrics
from osler.rollups.handing_out import owe
from osler.rollups.making import Making
from osler.rollups.nightly import nightly_jobs
from osler.settings import Settings
from osler.worker.catching_up import catching_up
from osler.worker.exam_fits import exam_fits_job
from osler.worker.fits import fitting_jobs
from osler.worker.housekeeping import housekeeping_jobs

log = logging.getLogger("osler.worker")

ENDED_FOR_NOW = {*ENDED_WELL, Status.PARKED}


@dataclass(frozen=True, slots=True)
class Night:
    """The jobs of this installation, in the order in which they build on each other."""

    database: Database
    jobs: tuple[Job, ...]

    def named(self, name: str) -> Job:
        """The job of this name. Errors: NotFound, naming those there are."""
        for job in self.jobs:
            if job.name == name:
                return job
        raise NotFound(
            f"there is no job {name}; there are {', '.join(job.name for job in self.jobs)}", code="job.unknown"
        )

    async def ring(self) -> dict[str, list[str]]:
        """Run what is due, in order; gives how each run that was made here ended.

        Where a job is held by another process, or waits for its next try, the ring ends: what stands on it must not
        go first. A job that was parked after its last try does not hold up the others. The next ring goes on.
        """
        ended: dict[str, list[str]] = {}
        for job in self.jobs:
            ended[job.name] = await self._due(job)
            if await self._status(job) not in ENDED_FOR_NOW:
                break
        ran = {name: statuses for name, statuses in ended.items() if statuses}
        if ran:
            await self._tell()
        return ran

    async def run(self, name: str, day: date | None = None, *, again: bool = False) -> Status | None:
        """Run one job for a period, by default the newest; None when it is held, or has succeeded and not `again`."""
        job = self.named(name)
        if day is None:
            day = last_opened(await self.database.now(), job.cadence, job.window)
        if again:
            async with self.database.write() as s:
                await owe(s, Making(analytics()).first, await release(s, name))
        status = await run_once(self.database, job, period_key(day), again=again)
        if status is not None:
            await self._tell()
        return status

    async def _tell(self) -> None:
        """What was answered before these runs is not served again, by any process."""
        async with self.database.write() as s:
            await announce(s, None)

    async def _due(self, job: Job) -> list[str]:
        try:
            statuses = await run_due(self.database, job)
        except Fenced:
            log.warning("job %s was taken over by another process", job.name)
            return []
        except OslerError as failed:
            log.error("job %s failed: %s", job.name, failed.code)  # noqa: TRY400 - a trace may quote a learner's data
        except Exception as failed:  # noqa: BLE001 - recorded by the run; the next ring tries again
            log.error("job %s failed: %s", job.name, type(failed).__name__)  # noqa: TRY400 - as above
        else:
            return [status.value for status in statuses]
        return [Status.FAILED.value]

    async def _status(self, job: Job) -> Status | None:
        """How the newest period of a job stands; None before its first run."""
        newest = period_key(last_opened(await self.database.now(), job.cadence, job.window))
        async with self.database.read(primary=True) as s:
            runs = [run for run in await recent_runs(s, job.name, limit=20) if run.period == newest]
        statuses = [Status(run.status) for run in runs]
        good = next((status for status in statuses if status in ENDED_WELL), None)
        return good or (statuses[0] if statuses else None)


def night_of(database: Database) -> Night:
    """The night of an open database. Declares the series of its jobs, so that alerts see a job that never ran."""
    shipped = analytics()
    live = Live(database, shipped)
    jobs = (
        *fitting_jobs(live, shipped),
        *nightly_jobs(shipped, catching_up(live)),
        exam_fits_job(),
        *housekeeping_jobs(database, shipped),
    )
    metrics.declare_jobs(job.name for job in jobs)
    return Night(database, jobs)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Night]:
    """A night with a database of its own, for a process that does nothing else."""
    async with Database.open(settings) as database:
        yield night_of(database)
