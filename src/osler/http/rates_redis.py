"""Rates counted in Redis, so that several processes add up; apart, as only an installation with Redis loads it."""

from __future__ import annotations

import asyncio

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from osler import clock
from osler.domain.transport import redis_options
from osler.http.cache.breaker import Breaker


class RedisCount:
    """Counts in Redis, or says that it cannot."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]  (redis types its options loosely)
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, **redis_options(url)
        )
        # The address is not used: the pool has it.
        storage = RedisStorage("async+redis://", connection_pool=self._pool, implementation="redispy")  # pyright: ignore[reportArgumentType]  (documented, and not in its annotation)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._timeout = timeout_seconds
        self._breaker = Breaker()

    @property
    def is_up(self) -> bool:
        """Whether the last count worked."""
        return self._breaker.failures == 0

    async def hit(self, per_minute: int, kind: str, name: str) -> bool | None:
        """Count once: within the rate or not; None when Redis is away, so that the caller counts by itself."""
        at = clock.monotonic_seconds()
        if not self._breaker.allows(at):
            return None
        try:
            async with asyncio.timeout(self._timeout):
                is_within = await self._limiter.hit(RateLimitItemPerMinute(per_minute), "osler", kind, name)
        except (RedisError, OSError, TimeoutError, StorageError):
            self._breaker.failed(at, is_certain=True)
            return None
        self._breaker.succeeded()
        return is_within

    async def close(self) -> None:
        """Let go of connections."""
        await self._pool.disconnect()
