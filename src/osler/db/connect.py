"""How a connection is made: asyncpg, UTC, time-outs set on the server's side, the role out of the URL."""

from __future__ import annotations

from typing import Any

import asyncpg

from osler.settings import Settings

APPLICATION = "osler"


def server_settings(settings: Settings) -> dict[str, str]:
    """What each connection asks of the server."""
    return {
        "application_name": APPLICATION,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": _ms(settings.statement_timeout_seconds),
        "lock_timeout": _ms(settings.lock_timeout_seconds),
        "idle_in_transaction_session_timeout": "30000",
    }


async def connect(url: str, settings: Settings) -> asyncpg.Connection[asyncpg.Record]:
    """One connection as ordinary work uses it."""
    return await asyncpg.connect(
        dsn(url), timeout=settings.connect_timeout_seconds, server_settings=server_settings(settings)
    )


async def connect_plainly(url: str, **options: Any) -> asyncpg.Connection[asyncpg.Record]:
    """One connection without time-outs: for migrations, the doctor and tests."""
    return await asyncpg.connect(
        dsn(url), timeout=10, server_settings={"application_name": APPLICATION, "timezone": "UTC", **options}
    )


def dsn(url: str) -> str:
    """The URL as asyncpg reads it; SQLAlchemy's spelling of the driver is accepted too."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))
