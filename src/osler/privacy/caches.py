"""What Redis keeps of a learner, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from osler.domain.transport import redis_options
from osler.errors import Unavailable
from osler.settings import Settings


async def clear_shared_cache(settings: Settings, user_id: UUID) -> None:
    """Delete every key of the learner. Errors: Unavailable when Redis is away: the erasure then waits for it."""
    if settings.redis_url is None:
        return
    url = settings.redis_url.get_secret_value()
    client = Redis.from_url(url, socket_timeout=5.0, **redis_options(url))  # pyright: ignore[reportUnknownMemberType]  (redis leaves it untyped)
    try:
        keys = cast("AsyncIterator[bytes]", client.scan_iter(match=f"osler:*{user_id}*", count=1000))  # pyright: ignore[reportUnknownMemberType]  (redis leaves it untyped)
        async for key in keys:
            await client.unlink(key)
    except (RedisError, OSError) as error:
        raise Unavailable("Redis is away, so what it keeps cannot be deleted; run this again.") from error
    finally:
        await client.aclose()
