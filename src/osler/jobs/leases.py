"""Who may run a job now? One holder for each (job, period), proved by a fence that only rises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from osler.db.session import ReadSession, WriteSession
from osler.errors import Conflict

LEASE_SECONDS = 45.0
MAX_TRIES = 3
BACK_OFF_SECONDS = (60, 300, 1200)
_SPACE = 4  # advisory locks: 1 ingest and erasure, 2 catch-up, 3 partitions, 4 claims, 5 and 6 first looks, 7 sign-ins


class Status(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    LOST = "lost"
    PARKED = "parked"
    SUPERSEDED = "superseded"


ENDED_WELL = (Status.SUCCEEDED, Status.PARTIAL)


class Fenced(Conflict):
    """The run has lost its lease to another; nothing was written."""

    default_code = "job.fenced"


@dataclass(frozen=True, slots=True)
class Token:
    """The right to write for one (job, period): worth something only while its fence is the newest."""

    job: str
    period: str
    fence: int


async def claim(
    s: WriteSession,
    job: str,
    period: str,
    *,
    holder: str,
    lease_seconds: float = LEASE_SECONDS,
    max_tries: int = MAX_TRIES,
    again: bool = False,
) -> Token | None:
    """Take the job for a period, or None: it succeeded, somebody holds it, it is parked, or it has to wait.

    `again` runs a period that succeeded or is parked once more. Never waits for another claimer.
    """
    if not await s.scalar(_TRY_LOCK, {"space": _SPACE, "what": f"{job} {period}"}):
        return None
    runs = await s.rows(_RUNS, {"job": job, "period": period})
    statuses = [Status(run["status"]) for run in runs]
    if Status.RUNNING in statuses and not await _took_over(s, job, period):
        return None
    if again:
        await s.execute(_SUPERSEDE, {"job": job, "period": period})
    elif any(status in ENDED_WELL for status in statuses) or _has_to_wait(statuses, runs, max_tries):
        return None
    fence = 1 + max((int(run["fence"]) for run in runs), default=0)
    values = {"job": job, "period": period, "fence": fence, "holder": holder, "lease": timedelta(seconds=lease_seconds)}
    await s.execute(_BEGIN, values)
    return Token(job, period, fence)


async def check(s: WriteSession, token: Token) -> None:
    """Prove the token inside the transaction that writes; the lease cannot change hands until that commits.

    Errors: Fenced when another run has taken over, however long ago this one was paused.
    """
    if await s.scalar(_HOLD, _key(token)) is None:
        msg = f"job {token.job} for {token.period} was taken over; this run writes nothing more"
        raise Fenced(msg, params={"job": token.job, "period": token.period, "fence": token.fence})


async def renew(s: WriteSession, token: Token, *, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Hold on for another lease; False when it is lost."""
    renewed = await s.scalar(_RENEW, {**_key(token), "lease": timedelta(seconds=lease_seconds)})
    return renewed is not None


async def report(s: WriteSession, token: Token, stage: str, *, done: int = 0, total: int | None = None) -> None:
    """Say how far the run is; shown by `osler jobs` and as metrics."""
    await s.execute(_REPORT, {**_key(token), "stage": stage, "done": done, "total": total})


async def finish(s: WriteSession, token: Token, *, seconds: float, parked: int = 0) -> Status:
    """End well after so many seconds: `partial` when learner-days had to be set aside. Errors: Fenced."""
    await check(s, token)
    status = Status.PARTIAL if parked else Status.SUCCEEDED
    await s.execute(
        _END, {**_key(token), "status": status, "reason": None, "wait": None, "parked": parked, "seconds": seconds}
    )
    return status


async def fail(
    s: WriteSession, token: Token, reason: str, *, seconds: float, tries: int = 1, max_tries: int = MAX_TRIES
) -> Status:
    """End badly: tried again after a pause, set aside after the last try. A lost run says nothing."""
    status = Status.PARKED if tries >= max_tries else Status.FAILED
    wait = timedelta(seconds=BACK_OFF_SECONDS[min(tries, len(BACK_OFF_SECONDS)) - 1])
    ended = {"status": status, "reason": reason[:500], "wait": wait, "parked": 0, "seconds": seconds}
    await s.execute(_END, {**_key(token), **ended})
    return status


async def bad_tries(s: ReadSession, token: Token) -> int:
    """How often this (job, period) has ended badly since it was last asked for again; this run not counted."""
    runs = await s.rows(_RUNS, {"job": token.job, "period": token.period})
    return _bad_tries([Status(run["status"]) for run in runs if run["fence"] != token.fence])


async def _took_over(s: WriteSession, job: str, period: str) -> bool:
    """End the run whose lease is over. SKIP LOCKED: while it is inside a writing transaction it keeps its right."""
    return await s.scalar(_LOSE, {"job": job, "period": period}) is not None


def _has_to_wait(statuses: list[Status], runs: list[sa.RowMapping], max_tries: int) -> bool:
    if Status.PARKED in statuses[-1:] or _bad_tries(statuses) >= max_tries:
        return True
    return bool(runs) and bool(runs[-1]["is_waiting"])


def _bad_tries(statuses: list[Status]) -> int:
    """Failures and losses after the last time that somebody asked for the period again."""
    count = 0
    for status in reversed(statuses):
        if status is Status.SUPERSEDED:
            break
        count += status in (Status.FAILED, Status.LOST, Status.RUNNING)
    return count


def _key(token: Token) -> dict[str, object]:
    return {"job": token.job, "period": token.period, "fence": token.fence}


_TRY_LOCK = sa.text("select pg_try_advisory_xact_lock(:space, hashtext(:what))")
_RUNS = sa.text(
    "select fence, status, coalesce(not_before > clock_timestamp(), false) as is_waiting from job_runs "
    "where job = :job and period = :period order by fence"
)
_BEGIN = sa.text(
    "insert into job_runs (job, period, fence, status, holder, lease_until, started_at) "
    "values (:job, :period, :fence, 'running', :holder, clock_timestamp() + :lease, clock_timestamp())"
).bindparams(sa.bindparam("lease", type_=sa.Interval))
# KEY SHARE lets the heartbeat renew the lease while a long transaction writes, and keeps a taker-over out.
_HOLD = sa.text(
    "select fence from job_runs where job = :job and period = :period and fence = :fence and status = 'running' "
    "for key share"
)
_RENEW = sa.text(
    "update job_runs set lease_until = clock_timestamp() + :lease "
    "where job = :job and period = :period and fence = :fence and status = 'running' returning fence"
).bindparams(sa.bindparam("lease", type_=sa.Interval))
_LOSE = sa.text(
    "update job_runs r set status = 'lost', finished_at = clock_timestamp(), reason = 'lease ran out' "
    "from (select fence from job_runs where job = :job and period = :period and status = 'running' "
    "      and lease_until < clock_timestamp() for update skip locked) gone "
    "where r.job = :job and r.period = :period and r.fence = gone.fence returning r.fence"
)
_SUPERSEDE = sa.text(
    "update job_runs set status = 'superseded' where job = :job and period = :period and status <> 'running'"
)
_REPORT = sa.text(
    "update job_runs set stage = :stage, done = :done, total = :total "
    "where job = :job and period = :period and fence = :fence and status = 'running'"
)
_END = sa.text(
    "update job_runs set status = :status, reason = :reason, not_before = clock_timestamp() + :wait, "
    "parked = :parked, seconds = :seconds, finished_at = clock_timestamp() "
    "where job = :job and period = :period and fence = :fence and status = 'running'"
).bindparams(sa.bindparam("wait", type_=sa.Interval))
