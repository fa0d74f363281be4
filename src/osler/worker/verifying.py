"""Is every derived row what the log says, whatever is going on at this moment?

What is waiting is worked off, then all learners of whom nothing is waiting are compared as of one moment each. Who was
waiting then, as an import, a worker or a night goes on, is worked off and looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from osler import clock
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.jobs.telling import Told, silent
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.replay import Replay, Report
from osler.rollups.draining import drain
from osler.rollups.making import Making

PATIENCE_SECONDS = 30.0
"""How long whoever is never at rest is looked for: each look is at those alone who were waiting in the one before, so
who studies without a pause is met in one of them soon, unless the machine has no time for the looks."""


@dataclass(slots=True)
class Verified:
    """What was found, and how much was worked off for it: events folded, learner-days counted."""

    report: Report = field(default_factory=Report)
    folded: int = 0
    counted: int = 0


async def verify_now(
    database: Database,
    only: Sequence[UUID] | None = None,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    worked_off: Told = silent,
    compared: Told = silent,
) -> Verified:
    """Compare everybody, or `only` these learners. `report.waiting` are those who were never found at rest.

    `compared` hears of so many more learners, each once but those who were waiting; `worked_off` of what comes before:
    learners folded, days counted, rows made again.
    """
    shipped, found = analytics(), Verified()
    live, replay = Live(database, shipped), Replay(database, shipped, Making(shipped).waiting)
    left, first = only, None
    while True:
        found.folded += await draining.drain(database, live, left, told=worked_off)
        found.counted += await drain(database, shipped, only=left, told=worked_off)
        found.report.add(await replay.verify(left, compared))
        left = found.report.waiting
        first = clock.monotonic_seconds() if first is None else first
        if not left or clock.monotonic_seconds() - first > patience_seconds:
            return found
