"""What happens to a learner after a commit: folded now or soon, and no answer from before is served again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from osler.analytics.registry import analytics
from osler.db.engine import Database, ReadSession
from osler.errors import Unavailable
from osler.http.cache.entry import Cache
from osler.live.background import Background
from osler.live.catch_up import CaughtUp, Live


class Following:
    """The live side of a process. Routers are made before it is open, so they hold this and not its parts."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._background: Background | None = None
        self._cache: Cache | None = None

    @asynccontextmanager
    async def open(self, db: Database, cache: Cache) -> AsyncGenerator[None]:
        """Begin to follow the log; stops at the next transaction's edge."""
        self._live, self._cache = Live(db, analytics()), cache
        self._background = Background(db, self.catch_up)
        self._background.start()
        try:
            yield
        finally:
            await self._background.stop()
            self._live = self._background = self._cache = None

    async def catch_up(self, user_id: UUID) -> CaughtUp:
        """Fold the learner now. After it the next answer of this process is a new one.

        Other processes hear of it from the transaction itself.
        """
        if self._live is None or self._cache is None:
            raise Unavailable("The service is starting.", code="service.starting")
        caught = await self._live.catch_up(user_id)
        if caught.events:
            await self._cache.bump(user_id)
        return caught

    def wake(self, user_id: UUID) -> None:
        """Have the learner folded soon."""
        if self._background is not None:
            self._background.wake(user_id)


# On the way of every submit: straight to the driver.
_MASTERY = """
select t.topic_id, t.mastery_score, t.mastery, t.mastery_low, t.mastery_high, t.questions_attempted, t.status
  from topic_mastery t
 where t.user_id = $1 and t.topic_id in (select unnest(topic_ids) from questions where question_id = any($2::text[]))
 order by t.topic_id
"""


async def mastery_of(session: ReadSession, user_id: UUID, question_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The learner's mastery of the topics of these questions, as the answer to a submit shows it."""
    rows: Any = await session.driver().fetch(_MASTERY, user_id, list(question_ids))
    return [dict(row) for row in rows]
