"""What the application does with a learner after a commit: handed to the routes, so that ingestion knows none of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

CatchUp = Callable[[UUID], Awaitable[object]]
Wake = Callable[[UUID], None]
MasteryOf = Callable[[UUID, str, object], Awaitable[list[dict[str, Any]]]]

WAIT_SECONDS = 0.5
"""An answer does not wait longer for its mastery than this."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """`catch_up` folds a learner now, `wake` folds later.

    `mastery_of` gives the learner's mastery of a question's topics, out of what `catch_up` gave (None: nothing yet).
    """

    catch_up: CatchUp
    wake: Wake
    mastery_of: MasteryOf

    async def caught_up(self, user_id: UUID) -> bool:
        """Fold now, but wait half a second at most; whether the fold was done by then. It goes on either way."""
        return await self._folded(user_id) is not None

    async def answered(self, user_id: UUID, question_id: str) -> tuple[list[dict[str, Any]], bool]:
        """The mastery of a question's topics after a fold, and whether it was done in time: else the one before."""
        folded = await self._folded(user_id)
        return await self.mastery_of(user_id, question_id, folded), folded is not None

    async def _folded(self, user_id: UUID) -> object | None:
        folding = asyncio.ensure_future(self.catch_up(user_id))
        done, _ = await asyncio.wait({folding}, timeout=WAIT_SECONDS)
        if not done:
            folding.add_done_callback(_look_at)
            return None
        # The event is stored whatever the fold did: its marks are there still, and the sweep comes back to them.
        return None if folding.exception() is not None else folding.result()


def _look_at(task: asyncio.Future[object]) -> None:
    if not task.cancelled() and task.exception() is not None:
        return
