"""What a running process holds for its requests: settings, database, verifier, answers, rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.types import Scope as AsgiScope

from osler.db.engine import Database, WriteSession
from osler.errors import Unavailable
from osler.http.answers import Answers
from osler.http.auth import Verifier
from osler.http.cache.news import announce
from osler.http.rates import RateLimiter
from osler.settings import Settings


@dataclass(frozen=True, slots=True)
class Platform:
    """Made once in the application's lifespan; handed to requests through `app.state.platform`."""

    settings: Settings
    db: Database
    verifier: Verifier
    answers: Answers
    rates: RateLimiter
    seen: Callable[[UUID, AsgiScope], None] = lambda _user_id, _scope: None

    async def changed(self, session: WriteSession, user_id: UUID) -> None:
        """The learner's data change with this transaction: no answer from before is served again, here or elsewhere."""
        await announce(session, user_id)
        await self.answers.cache.bump(user_id)


def platform_of(connection: HTTPConnection) -> Platform:
    """The platform of the process. Errors: Unavailable while it starts or stops."""
    found = getattr(connection.app.state, "platform", None)
    if found is None:
        raise Unavailable("The service is starting.", code="service.starting")
    return cast("Platform", found)
