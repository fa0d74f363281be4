"""Read and write sessions: one transaction each, their kind in their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Executable, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from osler.clock import monotonic_seconds
from osler.db.connect import PAGE_PAUSE_MS
from osler.db.driver import Driver
from osler.db.timed import OnQuery, Timed

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

JOB_PAUSE_MS = 600_000


class ReadSession:
    """A read-only transaction. Writing in it is refused by PostgreSQL.

    `home` is the folder of this installation's state, for what a row names and a file there holds.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        driver: Driver,
        on_query: OnQuery | None = None,
        *,
        otherwise: str | None = None,
        home: Path | None = None,
    ) -> None:
        self.home = home
        self._connection = connection
        self._on_query = on_query
        self._otherwise = otherwise
        self._driver = driver if on_query is None else Timed(driver, on_query, otherwise)

    async def execute(
        self, statement: Executable, parameters: Parameters = None, *, name: str | None = None
    ) -> CursorResult[Any]:
        """Run a statement. `name` is the fixed name under which its time is measured, one of `metrics.QUERIES`."""
        if self._on_query is None:
            return await self._connection.execute(statement, parameters)
        began = monotonic_seconds()
        try:
            return await self._connection.execute(statement, parameters)
        finally:
            self._on_query(name or self._otherwise, monotonic_seconds() - began)

    async def rows(
        self, statement: Executable, parameters: Parameters = None, *, name: str | None = None
    ) -> list[RowMapping]:
        """All rows, by column name."""
        return list((await self.execute(statement, parameters, name=name)).mappings())

    async def one(
        self, statement: Executable, parameters: Parameters = None, *, name: str | None = None
    ) -> RowMapping | None:
        """The only row, or None. Errors: MultipleResultsFound when there are more."""
        return (await self.execute(statement, parameters, name=name)).mappings().one_or_none()

    async def scalar(self, statement: Executable, parameters: Parameters = None, *, name: str | None = None) -> Any:
        """First column of the first row, or None."""
        return (await self.execute(statement, parameters, name=name)).scalar()

    async def tuples(
        self, statement: Executable, parameters: Parameters = None, *, name: str | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows as tuples: cheaper than mappings where there are many."""
        return cast("list[tuple[Any, ...]]", (await self.execute(statement, parameters, name=name)).all())

    def driver(self) -> Driver:
        """The asyncpg connection inside the same transaction, for hot paths."""
        return self._driver


class WriteSession(ReadSession):
    """A transaction that is committed when its block ends without an error."""


def begin_statement(
    *,
    read_only: bool,
    user_id: UUID | None,
    statement_timeout_seconds: float | None,
    is_durable: bool = True,
    keeps_plans: bool = False,
    lock: tuple[int, int] | None = None,
) -> str:
    """BEGIN and what is local to the transaction, in one round trip. Takes no text from outside."""
    parts = ["BEGIN READ ONLY" if read_only else "BEGIN"]
    if user_id is not None:
        parts.append(f"SET LOCAL osler.user_id = '{UUID(int=user_id.int)}'")
    if statement_timeout_seconds is not None:
        limit_ms = round(statement_timeout_seconds * 1000)
        parts.append(f"SET LOCAL statement_timeout = {limit_ms}")
        # Whoever is given long statements also computes between them, and shares the processor with other folds.
        silent_ms = min(max(limit_ms, PAGE_PAUSE_MS), JOB_PAUSE_MS)
        parts.append(f"SET LOCAL idle_in_transaction_session_timeout = {silent_ms}")
        if not keeps_plans:  # what may take long is worth a plan for its own parameters, each time
            parts.append("SET LOCAL plan_cache_mode = force_custom_plan")
    if not is_durable:
        parts.append("SET LOCAL synchronous_commit = off")
    if keeps_plans:
        parts.append("SET LOCAL plan_cache_mode = force_generic_plan")
    if lock is not None:
        parts.append(f"SELECT pg_advisory_xact_lock({int(lock[0])}, {int(lock[1])})")
    return "; ".join(parts)
