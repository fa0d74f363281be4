"""Pools of connections: one for pages, one for ingestion; dead connections are noticed before they are handed out."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from osler.db.connect import connect
from osler.db.driver import Driver, DriverPool
from osler.db.embedded import ensure_running
from osler.settings import Settings


async def app_url(settings: Settings) -> str:
    """Where the application's role connects: `OSLER_DATABASE_URL`, or the embedded server, started if need be."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return (await asyncio.to_thread(ensure_running, settings)).app


def make_engine(url: str, settings: Settings) -> AsyncEngine:
    """An engine whose transactions are ours: the driver begins none by itself, which saves round trips."""

    async def make() -> Driver:
        return await connect(url, settings)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=make,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_wait_seconds,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine.pool, "checkout", _refuse_closed)
    return engine


def checked_out(engine: AsyncEngine) -> int:
    """Connections of the engine that are in use now."""
    pool = engine.sync_engine.pool
    return pool.checkedout() if isinstance(pool, sa.QueuePool) else 0


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Costs no round trip: the driver knows when the server has hung up. The pool then opens another one."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def close_pools(pool: DriverPool | None, *engines: AsyncEngine | None) -> None:
    """Close everything; a statement that still runs is given two seconds."""
    if pool is not None:
        try:
            await asyncio.wait_for(pool.close(), timeout=2)
        except TimeoutError:
            pool.terminate()
    for engine in engines:
        if engine is not None:
            await engine.dispose()
