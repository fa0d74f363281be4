"""Everything derived, made from the log now: what an import and the demo do instead of waiting for the night."""

from __future__ import annotations

from collections.abc import Callable

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.worker.night import night_of


async def bring_up_to_date(database: Database, progress: Callable[[int], None] = lambda _: None) -> None:
    """Fold every learner who has marks, then run each nightly job once for the newest period, also if it has run.

    Errors: what a job raises, once all that come before it are done.
    """
    progress(await drain(database, Live(database, analytics())))
    night = night_of(database)
    for job in night.jobs:
        await night.run(job.name, again=True)
        progress(1)
