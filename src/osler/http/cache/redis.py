"""The cache that several processes share: sealed values in Redis, given up on within 100 ms.

The generation of a learner is a random word under its own key: a fold writes a new one, so what was kept for the old
one is a miss. What could not be written while Redis was away is written before Redis is believed again.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from osler import clock
from osler.domain.transport import redis_options
from osler.http.cache.breaker import Breaker
from osler.http.cache.entry import MAX_VALUE_BYTES, Entry, Key, seal, unseal
from osler.observe import metrics

T = TypeVar("T")

GENERATION_SECONDS = 7 * 86_400
EVERYBODY = "osler:g:*"
WATCH_SECONDS = 1.0


class RedisCache:
    """Kept answers in Redis."""

    def __init__(self, url: str, secret: bytes, *, ttl_seconds: int, timeout_seconds: float) -> None:
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]  (redis types its options loosely)
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            max_connections=64,
            **redis_options(url),
        )
        self._secret = secret
        self._ttl = ttl_seconds
        self._timeout = timeout_seconds
        self._breaker = Breaker()
        self._owed: set[str] = set()
        self.is_up = False

    async def generation(self, subject: uuid.UUID) -> str | None:
        """The learner's present generation; None while Redis is away."""
        found = await self._guarded(self._redis.mget([_generation_key(subject), EVERYBODY]))
        return None if found is None else _generation(found)

    async def get(self, key: Key) -> tuple[str | None, Entry | None]:
        """Generation and value in one round trip; a value that is not ours in every respect is deleted."""
        if self._owed & {_generation_key(key.subject), EVERYBODY}:
            return None, None  # a change that Redis has not been told of: what it keeps is not believed
        # GETRANGE, not GET: of a value of 50 MB no more than the limit is fetched.
        pipe = self._redis.pipeline(transaction=False)
        pipe.mget([_generation_key(key.subject), EVERYBODY])
        pipe.getrange(key.text(), 0, MAX_VALUE_BYTES)
        found = await self._guarded(cast("Awaitable[list[Any]]", pipe.execute(raise_on_error=False)))
        if found is None or isinstance(found[0], Exception):
            return None, None
        generation = _generation(found[0])
        return generation, await self._believed(key, generation, found[1])

    async def put(self, entry: Entry) -> None:
        """Keep an answer; one over the limit is not kept."""
        sealed = seal(entry, self._secret)
        if len(sealed) <= MAX_VALUE_BYTES:
            await self._guarded(cast("Awaitable[Any]", self._redis.set(entry.key.text(), sealed, ex=self._ttl)))

    async def bump(self, subject: uuid.UUID) -> None:
        """The learner's data changed."""
        await self._renew(_generation_key(subject))

    async def bump_all(self) -> None:
        """Everybody's data may have changed."""
        await self._renew(EVERYBODY)

    async def watch(self) -> None:
        """Keep `osler_cache_up` true to life while nobody asks; runs until it is cancelled."""
        while True:
            await self._guarded(self._ping())
            for key in tuple(self._owed):
                await self._renew(key)
            await asyncio.sleep(WATCH_SECONDS)

    async def close(self) -> None:
        """Let go of connections."""
        await self._redis.aclose()

    async def _believed(self, key: Key, generation: str, raw: object) -> Entry | None:
        if raw == b"":
            return None
        entry = unseal(raw, key, self._secret) if isinstance(raw, bytes) else None
        if entry is None:
            metrics.security_events.labels("cache_poisoned").inc()
            await self._guarded(cast("Awaitable[Any]", self._redis.unlink(key.text())))
            return None
        return entry if entry.generation == generation else None

    async def _renew(self, key: str) -> None:
        self._owed.add(key)
        if await self._guarded(self._set_new(key)) is not None:
            self._owed.discard(key)

    async def _ping(self) -> None:
        await self._redis.execute_command("PING")  # pyright: ignore[reportUnknownMemberType]  (redis leaves it untyped)

    async def _set_new(self, key: str) -> bool:
        await cast("Awaitable[Any]", self._redis.set(key, secrets.token_hex(8), ex=GENERATION_SECONDS))
        return True

    async def _guarded(self, work: Awaitable[T]) -> T | None:
        """The result, or None when Redis is away, slow or full; never an exception, never over the time limit."""
        at = clock.monotonic_seconds()
        if not self._breaker.allows(at):
            _discard(work)
            return None
        try:
            async with asyncio.timeout(self._timeout):
                if not self.is_up:
                    await self._pay_what_is_owed()
                result = await work
        except ResponseError:
            self._seen(is_up=True)  # it answers, with a refusal: full, or a key of another type
            return None
        except (RedisError, OSError, TimeoutError) as error:
            _discard(work)
            self._breaker.failed(at, is_certain=isinstance(error, RedisConnectionError))
            self._seen(is_up=False)
            return None
        self._breaker.succeeded()
        self._seen(is_up=True)
        return result

    async def _pay_what_is_owed(self) -> None:
        for key in tuple(self._owed):
            await self._set_new(key)
            self._owed.discard(key)

    def _seen(self, *, is_up: bool) -> None:
        self.is_up = is_up
        metrics.cache_up.set(1 if is_up else 0)


def _discard(work: Awaitable[Any]) -> None:
    if asyncio.iscoroutine(work):
        work.close()


def _generation_key(subject: uuid.UUID) -> str:
    return f"osler:g:{subject}"


def _generation(found: Sequence[bytes | str | None]) -> str:
    parts = (part.decode("ascii", "replace") if isinstance(part, bytes) else part for part in found)
    return ".".join(part or "0" for part in parts)
