"""What the night does besides counting: months ahead, learners who asked to be erased, months whose time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from osler.analytics.contract import Analytic
from osler.db.engine import Database
from osler.db.partitions import ensure_ahead
from osler.errors import Misconfigured
from osler.jobs.run import Job, Run
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.draining import drain
from osler.privacy.erasure import erase, unfinished
from osler.privacy.retention import retain
from osler.rollups.draining import drain as drain_counts


def housekeeping_jobs(database: Database, analytics: Sequence[Analytic]) -> tuple[Job, ...]:
    """`partitions`, `erasures`, `retention`, in this order: what is erased needs no checkpoint."""

    async def keep_states(upper_at: datetime) -> None:
        live = Live(database, analytics)
        await drain(database, live)
        await drain_counts(database, analytics)  # a day that is counted after its events have gone is counted as empty
        await checkpoint_before(database, analytics, live, upper_at)

    async def partitions(run: Run) -> None:
        await run.progress("made", await ensure_ahead(run.database))

    async def retention(run: Run) -> None:
        dropped = await retain(run.database.settings, keep_states, await run.database.now())
        await run.progress("dropped", len(dropped))

    return (
        Job(name="partitions", what="makes the months ahead", work=partitions),
        Job(
            name="erasures", what="erases who asked for it, and finishes what was begun", work=_if_configured(_erasures)
        ),
        Job(name="retention", what="drops months whose time is over", work=_if_configured(retention)),
    )


async def _erasures(run: Run) -> None:
    settings = run.database.settings
    waiting = await unfinished(settings)
    for done, user_id in enumerate(waiting, start=1):
        await erase(settings, user_id, requested_by="learner")
        await run.progress("erased", done, len(waiting))


def _if_configured(work: Callable[[Run], Awaitable[None]]) -> Callable[[Run], Awaitable[None]]:
    """A process without the credential leaves the work to one that has it, and says so in its progress."""

    async def guarded(run: Run) -> None:
        try:
            await work(run)
        except Misconfigured as missing:
            await run.progress(f"left to another process: {missing.code}")

    return guarded
