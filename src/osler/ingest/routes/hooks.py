"""What the application does with a learner after a commit: handed to the routes, so that ingestion knows none of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from osler.db.engine import ReadSession

CatchUp = Callable[[UUID], Awaitable[object]]
Wake = Callable[[UUID], None]
MasteryOf = Callable[[ReadSession, UUID, Sequence[str]], Awaitable[list[dict[str, Any]]]]

WAIT_SECONDS = 0.5
"""An answer does not wait longer for its mastery than this."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """`catch_up` folds a learner now, `wake` folds later, `mastery_of` reads the mastery of some topics."""

    catch_up: CatchUp
    wake: Wake
    mastery_of: MasteryOf

    async def caught_up(self, user_id: UUID) -> bool:
        """Fold now, but wait half a second at most; whether the fold was done by then. It goes on either way."""
        folding = asyncio.ensure_future(self.catch_up(user_id))
        done, _ = await asyncio.wait({folding}, timeout=WAIT_SECONDS)
        if not done:
            folding.add_done_callback(_look_at)
            return False
        # The event is stored whatever the fold did: its marks are there still, and the sweep comes back to them.
        return folding.exception() is None


def _look_at(task: asyncio.Future[object]) -> None:
    if not task.cancelled() and task.exception() is not None:
        return
