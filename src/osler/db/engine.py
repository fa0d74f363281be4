"""The database as the application sees it: pools, sessions, its clock, and one word for "come back later"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Self, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from osler.clock import monotonic_seconds
from osler.db import start_checks
from osler.db.connect import open_pool
from osler.db.driver import Driver, DriverPool
from osler.db.faults import translated
from osler.db.pools import app_url, checked_out, close_pools, make_engine
from osler.db.session import OnQuery, ReadSession, WriteSession, begin_statement
from osler.observe.metrics import LONG
from osler.settings import Settings

CLOCK_REFRESH_SECONDS = 60.0


class Database:
    """Pools of one process. Open it once, hand it down.

    `ingest_pool` is ingestion's own, so that reports cannot starve it. `on_query(name, seconds)` is called after each
    statement of a session.
    """

    def __init__(
        self, settings: Settings, engine: AsyncEngine, replica: AsyncEngine | None, ingest_pool: DriverPool
    ) -> None:
        self.settings = settings
        self.ingest_pool = ingest_pool
        self.on_query: OnQuery | None = None
        self.waiting = 0
        self._engine = engine
        self._replica = replica
        self._clock: tuple[float, datetime] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, check: bool = True) -> AsyncGenerator[Self]:
        """Connect, starting the embedded server when no URL is set.

        Errors: Misconfigured when the server or the schema is not what this Osler needs (`check`); Unavailable when
        the server is away.
        """
        url = await app_url(settings)
        replica_url = settings.replica_url.get_secret_value() if settings.replica_url else None
        engine = make_engine(url, settings)
        replica = make_engine(replica_url, settings) if replica_url else None
        pool: DriverPool | None = None
        try:
            with translated():
                pool = await open_pool(url, settings, size=settings.ingest_pool_size)
                database = cls(settings, engine, replica, pool)
                if check:
                    async with pool.acquire() as connection:
                        await start_checks.check(connection, settings)
            yield database
        finally:
            await close_pools(pool, engine, replica)

    @asynccontextmanager
    async def read(
        self, *, user_id: UUID | None = None, primary: bool = False, statement_timeout_seconds: float | None = None
    ) -> AsyncGenerator[ReadSession]:
        """A read-only transaction, on the replica where there is one unless `primary`.

        `user_id` is the learner whose rows a row-level policy lets through.
        """
        engine = self._engine if primary or self._replica is None else self._replica
        begin = begin_statement(read_only=True, user_id=user_id, statement_timeout_seconds=statement_timeout_seconds)
        async with self._transaction(engine, begin) as (connection, driver):
            long = _long(statement_timeout_seconds)
            yield ReadSession(connection, driver, self.on_query, otherwise=long, home=self.settings.home)

    @asynccontextmanager
    async def write(
        self,
        *,
        user_id: UUID | None = None,
        statement_timeout_seconds: float | None = None,
        is_durable: bool = True,
        keeps_plans: bool = False,
        lock: tuple[int, int] | None = None,
    ) -> AsyncGenerator[WriteSession]:
        """A transaction on the primary: committed when the block ends, rolled back on any error.

        One that is not durable does not wait for the disk: a crash of the server in the next moments may undo it as
        a whole, though nothing committed after it survives then either. Only for what is made again by itself.
        One that keeps plans makes each statement's once and for all parameters, where planning costs more than a better
        plan would save. `lock` is an advisory lock (space, key) that is held from the start: the first statement of the
        block sees what was committed before it was had.
        """
        begin = begin_statement(
            read_only=False,
            user_id=user_id,
            statement_timeout_seconds=statement_timeout_seconds,
            is_durable=is_durable,
            keeps_plans=keeps_plans,
            lock=lock,
        )
        async with self._transaction(self._engine, begin) as (connection, driver):
            long = _long(statement_timeout_seconds)
            yield WriteSession(connection, driver, self.on_query, otherwise=long, home=self.settings.home)

    async def now(self) -> datetime:
        """The database's clock: asked once a minute, carried on by the monotonic clock in between."""
        passed = monotonic_seconds()
        if self._clock is None or passed - self._clock[0] > CLOCK_REFRESH_SECONDS:
            async with self.read(primary=True) as session:
                told: datetime = await session.scalar(sa.text("select clock_timestamp()"))
            self._clock = (monotonic_seconds(), told)
        asked, told = self._clock
        return told + timedelta(seconds=monotonic_seconds() - asked)

    @property
    def pool_size(self) -> int:
        """Connections that pages may hold at once."""
        return self.settings.pool_size

    @property
    def pool_in_use(self) -> int:
        """Connections held now."""
        return checked_out(self._engine)

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine, begin: str) -> AsyncGenerator[tuple[AsyncConnection, Driver]]:
        with translated(writing=begin.split("; ", 1)[0] == "BEGIN"):
            async with self._checked_out(engine) as connection:
                driver = cast("Driver", (await connection.get_raw_connection()).driver_connection)
                await _begin(connection, driver, begin)
                try:
                    yield connection, driver
                    await driver.execute("COMMIT")
                except BaseException:
                    await _roll_back(connection, driver)
                    raise

    @asynccontextmanager
    async def _checked_out(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        self.waiting += 1
        try:
            connection = await engine.connect()
        finally:
            self.waiting -= 1
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())


def _long(statement_timeout_seconds: float | None) -> str | None:
    """What statements with a time of their own are timed under: they take long by design."""
    return None if statement_timeout_seconds is None else LONG


async def _begin(connection: AsyncConnection, driver: Driver, begin: str) -> None:
    try:
        await driver.execute(begin)
    except BaseException:
        await _drop(connection)
        raise


async def _roll_back(connection: AsyncConnection, driver: Driver) -> None:
    """Leave the connection clean, or throw it away: nobody may inherit an open transaction."""
    try:
        await asyncio.wait_for(asyncio.shield(driver.execute("ROLLBACK")), timeout=2)
    except BaseException:  # noqa: BLE001 (the error that brought us here is the one to raise)
        await _drop(connection)


async def _drop(connection: AsyncConnection) -> None:
    with suppress(Exception):
        await asyncio.shield(connection.invalidate())
