"""What handlers declare: the learner's db session, the database's clock, a cached answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from osler.db.engine import ReadSession, WriteSession
from osler.errors import IntegrityBroken
from osler.http.answers import Reply
from osler.http.platform import Platform, platform_of
from osler.http.scope import Scope


def scope_of(request: Request) -> Scope:
    """The scope that `require` left on the request. Errors: IntegrityBroken where no policy was declared before."""
    scope = getattr(request.state, "learner_scope", None)
    if scope is None:
        raise IntegrityBroken("A handler asked for data before its policy: declare require(...) first.")
    return cast("Scope", scope)


async def _read(request: Request) -> AsyncIterator[ReadSession | WriteSession]:
    async with scope_of(request).read() as session:
        yield session


async def _write(request: Request) -> AsyncIterator[WriteSession]:
    async with scope_of(request).write() as session:
        yield session


async def _as_of(request: Request) -> datetime:
    return await platform_of(request).db.now()


# Async, although it waits for nothing: FastAPI sends what is not to a thread, which costs more than all of it.
async def _reply(request: Request) -> Reply:
    platform = platform_of(request)
    return Reply(platform.answers, scope_of(request), request)


async def _platform(request: Request) -> Platform:
    return platform_of(request)


Here = Annotated[Platform, Depends(_platform)]
"""What the process holds: settings, database, caches."""

# Scope "function": the transaction ends before the answer is sent, so an acknowledged write is a committed one.
ReadDb = Annotated[ReadSession, Depends(_read, scope="function")]
"""Read session of the scope's learner. Declare it after the scope."""

WriteDb = Annotated[WriteSession, Depends(_write, scope="function")]
"""Write session of the scope's learner, committed before the answer is sent. Declare it after the scope."""

AsOf = Annotated[datetime, Depends(_as_of)]
"""The database's present instant: the `as_of` of what is computed for this request."""

CachedReply = Annotated[Reply, Depends(_reply)]
"""Answers from the cache where it can: `return await reply("mastery", compute)`. Declare it after the scope."""
