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
from cachetools import LRUCache
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from osler.db.engine import Database, ReadSession
from osler.http.cache.entry import Cache, Entry, Key, etag_of
from osler.http.policy import Action
from osler.observe import metrics

Answer = BaseModel | msgspec.Struct | dict[str, Any]
Compute = Callable[[ReadSession, datetime], Awaitable[Answer]]
Found = tuple[str | None, Entry | None]

REMEMBERED_REQUESTS = 20_000
LOOKED_UP = "looked_up"
"""Where a request's state holds what the short way found in the cache: the generation, and no answer."""


class Aim(Protocol):
    """What is needed of a scope: whose data, whether they are the caller's own, and a session to read them."""

    @property
    def user_id(self) -> UUID:
        """Whose data."""
        ...

    @property
    def action(self) -> Action:
        """What the policy was asked for."""
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a path and a query ask of their own learner: the action, the kept answer's name and variant, the route."""

    action: Action
    name: str
    variant: str
    route: object


class Answers:
    """Serves from the cache and lets each missing answer be computed by one request at a time."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.asked: LRUCache[tuple[str, bytes], Asked] = LRUCache(REMEMBERED_REQUESTS)
        self._computing: dict[tuple[Key, str], asyncio.Task[Entry]] = {}

    async def serve(self, aim: Aim, key: Key, compute: Compute, found: Found | None = None) -> tuple[Entry, str]:
        """The answer and `hit`, `miss` or `bypass`. `found` is what the cache was seen to have, where it was asked.

        Staff who read another person's data always pass the cache by: their read is audited in its transaction.
        """
        if not aim.is_own:
            return await _computed(aim, key, "", compute), "bypass"
        generation, kept = found or await self.cache.get(key)
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
    request: Request

    async def __call__(self, name: str, compute: Compute, *, variant: str = "") -> Response:
        """The answer with its entity tag, 304 when the caller has it already.

        `variant` holds the checked parameters that change the answer; two variants are two entries.
        """
        found: Found | None = getattr(self.request.state, LOOKED_UP, None)
        key = Key(self.aim.user_id, name, variant)
        entry, result = await self.answers.serve(self.aim, key, compute, found)
        self._remember(name, variant)
        return response_of(entry, result, self.request.headers.get("if-none-match"))

    def _remember(self, name: str, variant: str) -> None:
        """From now on the same path and query may go the short way. Not where a learner is named in it."""
        scope = self.request.scope
        if self.aim.is_own and "user_id" not in self.request.query_params:
            asked = Asked(self.aim.action, name, variant, scope.get("route"))
            self.answers.asked[scope["path"], scope["query_string"]] = asked


def response_of(entry: Entry, result: str, if_none_match: str | None) -> Response:
    """A kept or computed answer with its entity tag; 304 when the caller has it already."""
    metrics.cache_requests.labels(result).inc()
    headers = {"ETag": entry.etag, "X-Cache": result, "Cache-Control": "private, no-cache"}
    if _matches(if_none_match, entry.etag):
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
