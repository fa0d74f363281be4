"""What happens to a learner after a commit: folded now or soon, and no answer from before is served again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from osler.analytics.contract import ItemKey
from osler.analytics.mastery.folding import Evaluated
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.errors import Unavailable
from osler.http.cache.entry import Cache
from osler.live.background import Background
from osler.live.catch_up import CaughtUp, Live
from osler.rollups.first_look import Newcomers


class Following:
    """The live side of a process. Routers are made before it is open, so they hold this and not its parts."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._live: Live | None = None
        self._background: Background | None = None
        self._newcomers: Newcomers | None = None
        self._cache: Cache | None = None

    @asynccontextmanager
    async def open(self, db: Database, cache: Cache) -> AsyncGenerator[None]:
        """Begin to follow the log; stops at the next transaction's edge."""
        self._database, self._live, self._cache = db, Live(db, analytics()), cache
        self._background = Background(db, self.catch_up)
        self._newcomers = Newcomers(db, analytics())
        self._background.start()
        self._newcomers.start()
        try:
            yield
        finally:
            await self._newcomers.stop()
            await self._background.stop()
            self._database = self._live = self._background = self._newcomers = self._cache = None

    async def catch_up(self, user_id: UUID) -> CaughtUp:
        """Fold the learner now. After it the next answer of this process is a new one.

        Other processes hear of it from the transaction itself.
        """
        if self._live is None or self._cache is None:
            raise Unavailable("The service is starting.", code="service.starting")
        caught = await self._live.catch_up(user_id)
        if caught.events:
            await self._cache.bump(user_id)
            if self._newcomers is not None:
                self._newcomers.note(user_id)
        return caught

    def wake(self, user_id: UUID) -> None:
        """Have the learner folded soon."""
        if self._background is not None:
            self._background.wake(user_id)

    async def mastery_of(self, user_id: UUID, question_id: str, caught: object) -> list[dict[str, Any]]:
        """The learner's mastery of a question's topics, as the answer to a submit shows it.

        Nearly always it is what the fold has just made; where another process was first, it is read.
        """
        if isinstance(caught, CaughtUp) and caught.batch is not None:
            evaluated, item = caught.batch.shared(Evaluated), caught.batch.items.get(ItemKey("question", question_id))
            if evaluated is not None and item is not None:
                return [found for topic in sorted(item.topic_ids) if (found := evaluated.figures(topic, _SHOWN))]
        if self._database is None:
            return []
        async with self._database.read(user_id=user_id, primary=True) as session:
            return [dict(row) for row in await session.driver().fetch(_MASTERY, user_id, question_id)]


_SHOWN = (
    "topic_id", "mastery_score", "mastery", "mastery_low", "mastery_high", "questions_attempted", "status",
)  # fmt: skip
_MASTERY = f"""
select {", ".join(_SHOWN)} from topic_mastery
 where user_id = $1 and topic_id in (select unnest(topic_ids) from questions where question_id = $2)
 order by topic_id
"""
