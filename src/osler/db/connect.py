# asyncpg ships no types; what leaves this file has ours (driver.py).
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
"""How a connection is made: asyncpg, UTC, time-outs set on the server's side, the role out of the URL."""

from __future__ import annotations

from typing import Any, cast

import asyncpg

from osler.db.driver import Driver, DriverPool
from osler.domain.transport import postgres_with_newest_tls
from osler.settings import Settings

APPLICATION = "osler"
# How long a transaction may be silent before the server takes its connection, and with it its locks, away.
PAGE_PAUSE_MS = 30_000
# What asyncpg raises on a connection that it knows to be closed, or that died between a question and its answer.
Gone = (asyncpg.InterfaceError, asyncpg.InternalClientError)


def server_settings(settings: Settings) -> dict[str, str]:
    """What each connection asks of the server."""
    return {
        "application_name": APPLICATION,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": _ms(settings.statement_timeout_seconds),
        "lock_timeout": _ms(settings.lock_timeout_seconds),
        "idle_in_transaction_session_timeout": str(PAGE_PAUSE_MS),
    }


async def connect(url: str, settings: Settings) -> Driver:
    """One connection as ordinary work uses it."""
    timeout: Any = settings.connect_timeout_seconds
    return cast("Driver", await asyncpg.connect(dsn(url), timeout=timeout, server_settings=server_settings(settings)))


async def connect_plainly(url: str, **options: str) -> Driver:
    """One connection without time-outs: for migrations, the doctor and tests. `options` are settings of the server."""
    wanted = {"application_name": APPLICATION, "timezone": "UTC", **options}
    return cast("Driver", await asyncpg.connect(dsn(url), timeout=10, server_settings=wanted))


async def open_pool(url: str, settings: Settings, *, size: int) -> DriverPool:
    """Connections without SQLAlchemy round them, opened when first needed and kept."""
    made = await asyncpg.create_pool(
        dsn(url),
        min_size=1,
        max_size=size,
        timeout=settings.connect_timeout_seconds,
        server_settings=server_settings(settings),
        max_inactive_connection_lifetime=0,
        reset=_nothing,
    )
    return cast("DriverPool", made)


async def _nothing(_: Any) -> None:
    """Nobody here sets anything for a whole session, and asyncpg ends an open transaction by itself.

    Its own reset is a statement after every use: a fifth of what a batch of events costs the client.
    """


def dsn(url: str) -> str:
    """The URL as asyncpg reads it; SQLAlchemy's spelling of the driver is accepted too. Checked TLS is TLS 1.3."""
    return postgres_with_newest_tls(url.replace("postgresql+asyncpg://", "postgresql://", 1))


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))
