"""Folds learners behind the answer of a batch: a bounded queue, each learner in it once, and a sweep for the rest.

The queue only saves time. What is to be done stands in the marks; after a crash, or when the queue is full, the
sweep finds it there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog

from osler.db.engine import Database
from osler.errors import OslerError
from osler.eventlog import marks
from osler.live.draining import stale

QUEUE_LIMIT = 10_000
WORKERS = 2
SWEEP_SECONDS = 5.0
PAUSE_AFTER_FAILURE_SECONDS = 60.0

CatchUp = Callable[[UUID], Awaitable[object]]

_log: Any = structlog.get_logger("osler.live")


class Background:
    """Runs `catch_up` for the learners that were woken, oldest first."""

    def __init__(self, database: Database, catch_up: CatchUp, *, limit: int = QUEUE_LIMIT) -> None:
        self._database = database
        self._catch_up = catch_up
        self._limit = limit
        self._waiting: dict[UUID, None] = {}
        self._resting: dict[UUID, float] = {}
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work, in tasks of the running loop."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        self._tasks.append(asyncio.create_task(self._sweep()))

    async def stop(self) -> None:
        """Stop at the next transaction's edge; what was not folded keeps its marks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def wake(self, user_id: UUID) -> None:
        """Have the learner folded soon. When the queue is full the sweep will find the marks."""
        if len(self._waiting) < self._limit:
            self._waiting[user_id] = None
            self._woken.set()

    @property
    def waiting(self) -> int:
        """Learners in the queue."""
        return len(self._waiting)

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            if not self._waiting:
                self._woken.clear()
                continue
            user_id = next(iter(self._waiting))
            del self._waiting[user_id]
            await self._one(user_id)

    async def _one(self, user_id: UUID) -> None:
        try:
            await self._catch_up(user_id)
        except Exception as failed:  # noqa: BLE001 - one learner that cannot be folded must not stop the others
            self._resting[user_id] = asyncio.get_running_loop().time() + PAUSE_AFTER_FAILURE_SECONDS
            code = failed.code if isinstance(failed, OslerError) else type(failed).__name__
            _log.warning("live.fold_failed", error=type(failed).__name__, code=code)

    async def _sweep(self) -> None:
        while True:
            with suppress(OslerError):
                await self.sweep_once()
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep_once(self) -> int:
        """Wake learners that wait in the marks or were declared stale; gives the backlog."""
        now = asyncio.get_running_loop().time()
        self._resting = {user: until for user, until in self._resting.items() if until > now}
        async with self._database.read(primary=True) as session:
            backlog = await marks.backlog(session, marks.LIVE)
            behind = await marks.learners(session, marks.LIVE) if backlog else []
            behind += await stale(session)
        for user_id in behind:
            if user_id not in self._resting:
                self.wake(user_id)
        return backlog
