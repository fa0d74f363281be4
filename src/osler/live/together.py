"""How are many learners folded? Some to a transaction, a few transactions at once, each poison learner alone.

A group holds its learners' locks until it commits, so it ends after ten learners or a quarter of a second, whichever
comes first. Where one of a group cannot be folded, the group is taken back and each of it is folded alone: the others
are done, and the one is named with its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from uuid import UUID

from osler import clock
from osler.db.faults import retrying
from osler.db.session import WriteSession
from osler.errors import Unavailable
from osler.eventlog import learner_locks
from osler.jobs.telling import Told

GROUPS_AT_ONCE = 4
LEARNERS_A_COMMIT = 10
SECONDS_A_COMMIT = 0.25
"""Measured over 300 small learners on two busy cores: 102 ms each one by one, 15 ms with three at once, 11 ms when
each takes ten in a transaction; more in one only holds locks for longer."""

FoldOne = Callable[[WriteSession, UUID], Awaitable[int]]
"""Folds one learner inside a transaction, under the learner's lock; gives the events folded."""
Transaction = Callable[[], AbstractAsyncContextManager[WriteSession]]
Failed = Callable[[UUID, Exception], Awaitable[None]]
"""Is told of a learner who cannot be folded. What it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Together:
    """One way of folding for many learners. `failed` and `told` are called outside of any transaction."""

    transaction: Transaction
    fold_one: FoldOne
    failed: Failed
    told: Told
    learners_a_commit: int = LEARNERS_A_COMMIT
    seconds_a_commit: float = SECONDS_A_COMMIT

    async def fold(self, user_ids: Sequence[UUID]) -> int:
        """Fold these learners, each once, in about this order; gives the events folded.

        Errors: what `failed` raises, and Unavailable; groups that were committed stay folded.
        """
        waiting = iter(user_ids)
        try:
            async with asyncio.TaskGroup() as folding:
                groups = [folding.create_task(self._groups(waiting)) for _ in range(GROUPS_AT_ONCE)]
        except ExceptionGroup as raised:
            raise raised.exceptions[0] from None
        return sum(group.result() for group in groups)

    async def _groups(self, waiting: Iterator[UUID]) -> int:
        """One iterator for all: whoever is free takes the next."""
        folded = 0
        while group := [*islice(waiting, self.learners_a_commit)]:
            folded += await self._group(group)
        return folded

    async def _group(self, group: list[UUID]) -> int:
        # In one order, so that two who want several never wait for each other in a circle.
        left, folded = sorted(group, key=learner_locks.order), 0
        while left:
            try:
                done, events = await retrying(partial(self._some, left))
            except Unavailable:
                raise
            except Exception as failed:  # noqa: BLE001 - who it is of is found by folding each alone
                return folded + await self._each(left, failed)
            left, folded = left[done:], folded + events
            await self.told(done)
        return folded

    async def _some(self, user_ids: Sequence[UUID]) -> tuple[int, int]:
        """Fold the first of them in one transaction, until its time is over; gives how many, and their events."""
        began, folded, done = clock.monotonic_seconds(), 0, 0
        async with self.transaction() as session:
            for user_id in user_ids:
                folded += await self.fold_one(session, user_id)
                done += 1
                if clock.monotonic_seconds() - began > self.seconds_a_commit:
                    break
        return done, folded

    async def _each(self, user_ids: Sequence[UUID], failed: Exception) -> int:
        folded = 0
        for user_id in user_ids:
            try:
                if len(user_ids) == 1:
                    raise failed  # noqa: TRY301 - it was alone already
                folded += (await retrying(partial(self._some, [user_id])))[1]
            except Unavailable:
                raise
            except Exception as failed_alone:  # noqa: BLE001 - told of, or raised again by who is told
                await self.failed(user_id, failed_alone)
            await self.told(1)
        return folded
