"""Rings the bell every minute, in process or through the broker. A ring that is missed costs a minute, never a run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs] - ships no types

from osler.errors import Unavailable
from osler.settings import Settings
from osler.worker.broker import RING, RING_SECONDS, make_celery
from osler.worker.night import opened
from osler.worker.watching import watched

log = logging.getLogger("osler.worker")

Bell = Callable[[], Awaitable[object]]


@asynccontextmanager
async def ringing(bell: Bell, *, every_seconds: float = RING_SECONDS) -> AsyncGenerator[None]:
    """Ring now and then at every interval, one at a time, as long as the block runs.

    The ring that runs when the block ends is cancelled: its job's lease is given back, its committed work stays.
    """
    scheduler = AsyncIOScheduler(timezone="UTC")
    running: set[asyncio.Task[None]] = set()

    async def ring() -> None:
        task = asyncio.current_task()
        if task is not None:
            running.add(task)
            task.add_done_callback(running.discard)
        await _safely(bell)

    first = asyncio.ensure_future(ring())
    scheduler.add_job(ring, "interval", seconds=every_seconds, max_instances=1, coalesce=True)  # pyright: ignore[reportUnknownMemberType] - ships no types
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        for task in (first, *running):
            task.cancel()
        await asyncio.gather(first, *running, return_exceptions=True)


async def run_scheduler(settings: Settings, *, every_seconds: float = RING_SECONDS, once: bool = False) -> None:
    """Ring until cancelled: through the broker where one is set, else run the jobs here. `once` rings and returns."""
    if settings.broker_url is not None:
        app: Any = make_celery(settings)

        async def send() -> None:
            await asyncio.to_thread(app.send_task, RING)

        async with watched(settings):
            await _ring(send, every_seconds, once=once)
        return
    async with opened(settings) as night, watched(settings, night.database):
        await _ring(night.ring, every_seconds, once=once)


async def _ring(bell: Bell, every_seconds: float, *, once: bool) -> None:
    if once:
        await bell()
        return
    async with ringing(bell, every_seconds=every_seconds):
        await asyncio.Event().wait()


async def _safely(bell: Bell) -> None:
    """A ring that fails is a line in the log: what was due is still due at the next one."""
    try:
        await bell()
    except Unavailable as away:
        log.warning("ring missed: %s", away.code)
    except Exception as failed:  # noqa: BLE001 - the bell must go on ringing
        log.error("ring missed: %s", type(failed).__name__)  # noqa: TRY400 - a trace may quote settings
