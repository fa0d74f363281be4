"""Which cache this process has, and what keeps it honest while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from osler.http.cache.entry import Cache
from osler.http.cache.memory import MemoryCache
from osler.http.cache.news import Forget, listen
from osler.observe import metrics
from osler.observe.keys import secret_key
from osler.settings import Settings

CACHE_KEY = "cache"


@asynccontextmanager
async def open_cache(settings: Settings, forget: Forget) -> AsyncGenerator[Cache]:
    """Redis where a URL is set, else in process; both hear of changes made by other processes, `forget` of erasures."""
    if settings.redis_url is None:
        memory = MemoryCache(ttl_seconds=settings.cache_ttl_seconds, max_bytes=settings.cache_max_bytes)
        memory.is_hearing = False
        metrics.cache_up.set(1)
        async with running(listen(settings, memory, memory, forget)):
            yield memory
        return
    from osler.http.cache.redis import RedisCache  # noqa: PLC0415  (a tenth of the start, for those who have Redis)

    shared = RedisCache(
        settings.redis_url.get_secret_value(),
        secret_key(settings.home, CACHE_KEY),
        ttl_seconds=max(1, settings.cache_ttl_seconds),
        timeout_seconds=settings.cache_timeout_seconds,
    )
    try:
        async with running(shared.watch()), running(listen(settings, shared, None, forget)):
            yield shared
    finally:
        await shared.close()


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Work in the background for as long as the block runs."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        # What a cancelled task raises on its way out is no news; what ended it before is.
        on_its_way_out: tuple[type[BaseException], ...] = (Exception,) if task.cancel() else ()
        with suppress(asyncio.CancelledError, *on_its_way_out):
            await task
