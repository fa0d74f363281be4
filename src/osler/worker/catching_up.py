"""Folds everybody who is behind, on behalf of a job: who cannot be folded is parked, the job goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from osler.jobs.run import Run
from osler.live.catch_up import Live
from osler.live.draining import drain


def catching_up(live: Live) -> Callable[[Run], Awaitable[None]]:
    """What a job does first that rests on what was folded."""

    async def catch_up(run: Run) -> None:
        await drain(run.database, live, failed=parking(run), told=run.counting("folding what is new"))

    return catch_up


def parking(run: Run) -> Callable[[UUID, Exception], Awaitable[None]]:
    """Sets a learner aside for the period of the run, with the reason."""

    async def park(user_id: UUID, failed: Exception) -> None:
        await run.park(user_id, run.day, failed)

    return park
