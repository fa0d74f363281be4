"""What ran, what is running, what never succeeded: for `osler jobs`, the metrics and the alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from osler.db.session import ReadSession
from osler.jobs.leases import ENDED_WELL
from osler.jobs.tables import job_parked, job_runs

LONGEST = timedelta(days=2)
"""No run lasts longer: what began before then is not looked for among those that ended lately."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as recorded. `done` of `total` in the job's own units; `reason` is a kind of error and a code."""

    job: str
    period: str
    fence: int
    status: str
    holder: str
    started_at: datetime
    finished_at: datetime | None
    stage: str | None
    done: int
    total: int | None
    parked: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that ended, however it did, after so many seconds."""

    job: str
    period: str
    fence: int
    status: str
    seconds: float
    finished_at: datetime

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from all other runs."""
        return self.job, self.period, self.fence


_COLUMNS = [job_runs.c[name] for name in RunRecord.__dataclass_fields__]


async def recent_runs(s: ReadSession, job: str | None = None, limit: int = 50) -> list[RunRecord]:
    """The newest runs, of one job or of all."""
    chosen = sa.select(*_COLUMNS).order_by(job_runs.c.started_at.desc()).limit(limit)
    if job is not None:
        chosen = chosen.where(job_runs.c.job == job)
    return [RunRecord(**_plain(row)) for row in await s.rows(chosen)]


async def ended_since(s: ReadSession, since: datetime) -> list[EndedRun]:
    """Runs of any process that ended at that instant or after it."""
    # A run that was lost, or of before, has only instants; a clock that was set back makes none end before it began.
    between = sa.func.greatest(sa.extract("epoch", job_runs.c.finished_at - job_runs.c.started_at), 0)
    seconds = sa.func.coalesce(job_runs.c.seconds, between)
    chosen = sa.select(
        job_runs.c.job, job_runs.c.period, job_runs.c.fence, job_runs.c.status, seconds, job_runs.c.finished_at
    ).where(job_runs.c.finished_at >= since, job_runs.c.started_at >= since - LONGEST)
    return [
        EndedRun(job, period, fence, status, float(took), at)
        for job, period, fence, status, took, at in await s.tuples(chosen)
    ]


async def succeeded(s: ReadSession, job: str) -> set[date]:
    """The days of a job's periods that ended well."""
    chosen = sa.select(job_runs.c.period).where(job_runs.c.job == job, job_runs.c.status.in_(ENDED_WELL))
    return {date.fromisoformat(row[0]) for row in await s.tuples(chosen)}


async def last_success_at(s: ReadSession) -> dict[str, datetime]:
    """When each job last ended well."""
    chosen = sa.select(job_runs.c.job, sa.func.max(job_runs.c.finished_at))
    rows = await s.tuples(chosen.where(job_runs.c.status.in_(ENDED_WELL)).group_by(job_runs.c.job))
    return {row[0]: row[1] for row in rows}


async def parked_counts(s: ReadSession) -> dict[str, int]:
    """How many learner-days each job has set aside."""
    chosen = sa.select(job_parked.c.job, sa.func.count()).group_by(job_parked.c.job)
    return {row[0]: row[1] for row in await s.tuples(chosen)}


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
