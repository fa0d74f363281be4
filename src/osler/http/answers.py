"""How a learner's own answer is served: from the cache where it still holds, else computed once and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from osler.db.engine import Database, ReadSession
from osler.http.cache.entry import Cache, Entry, Key, etag_of
from osler.observe import metrics

Answer = BaseModel | msgspec.Struct | dict[str, Any]
Compute = Callable[[ReadSession, datetime], Awaitable[Answer]]


class Aim(Protocol):
    """What is needed of a scope: whose data, whether they are the caller's own, and a session to read them."""

    @property
    def user_id(self) -> UUID:
        """Whose data."""
        ...

    @property
    def is_own(self) -> bool:
        """Whether they are the caller's own."""
        ...

    @property
    def db(self) -> Database:
        """The database, for its clock."""
        ...

    def read(self) -> AbstractAsyncContextManager[ReadSession]:
        """A session to read them."""
        ...


class Answers:
    """Serves from the cache and lets each missing answer be computed by one request at a time."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._computing: dict[tuple[Key, str], asyncio.Task[Entry]] = {}

    async def serve(self, aim: Aim, key: Key, compute: Compute) -> tuple[Entry, str]:
        """The answer and `hit`, `miss` or `bypass`.

        Staff who read another person's data always pass the cache by: their read is audited in its transaction.
        """
        if not aim.is_own:
            return await _computed(aim, key, "", compute), "bypass"
        generation, kept = await self.cache.get(key)
        if kept is not None:
            return kept, "hit"
        if generation is None:
            return await _computed(aim, key, "", compute), "bypass"
        return await self._once(aim, key, generation, compute), "miss"

    async def _once(self, aim: Aim, key: Key, generation: str, compute: Compute) -> Entry:
        place = (key, generation)
        task = self._computing.get(place)
        if task is None:
            task = asyncio.create_task(self._fill(aim, key, generation, compute))
            self._computing[place] = task
            task.add_done_callback(lambda done: self._landed(place, done))
        # Shielded: the first of many who wait may go away without taking the answer from the others.
        return await asyncio.shield(task)

    async def _fill(self, aim: Aim, key: Key, generation: str, compute: Compute) -> Entry:
        # The generation was read before the data: a fold in between makes this entry old, never wrong.
        entry = await _computed(aim, key, generation, compute)
        await self.cache.put(entry)
        return entry

    def _landed(self, place: tuple[Key, str], done: asyncio.Task[Entry]) -> None:
        self._computing.pop(place, None)
        if not done.cancelled():
            done.exception()  # marked as seen, should everybody who waited have gone


@dataclass(frozen=True, slots=True)
class Reply:
    """What a cached route calls: `await reply("mastery", compute)` with `compute(session, as_of)`."""

    answers: Answers
    aim: Aim
    if_none_match: str | None

    async def __call__(self, name: str, compute: Compute, *, variant: str = "") -> Response:
        """The answer with its entity tag, 304 when the caller has it already.

        `variant` holds the checked parameters that change the answer; two variants are two entries.
        """
        entry, result = await self.answers.serve(self.aim, Key(self.aim.user_id, name, variant), compute)
        metrics.cache_requests.labels(result).inc()
        headers = {"ETag": entry.etag, "X-Cache": result, "Cache-Control": "private, no-cache"}
        if _matches(self.if_none_match, entry.etag):
            return Response(status_code=304, headers=headers)
        return Response(entry.body, media_type="application/json", headers=headers)


async def _computed(aim: Aim, key: Key, generation: str, compute: Compute) -> Entry:
    as_of = await aim.db.now()
    async with aim.read() as session:
        body = encoded(await compute(session, as_of))
    return Entry(key, generation, body, etag_of(body))


def encoded(answer: Answer) -> bytes:
    """The answer as JSON."""
    if isinstance(answer, BaseModel):
        return answer.model_dump_json(by_alias=True).encode()
    return msgspec.json.encode(answer)


def _matches(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    named = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in named or "*" in named
