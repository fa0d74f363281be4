"""A connection that says how long each of its statements took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from osler.clock import monotonic_seconds
from osler.db.driver import Driver, Record

OnQuery = Callable[[str | None, float], None]
"""Told after each statement: the name that it is timed under, None where it has none, and seconds."""


class Timed:
    """A `Driver` round another one; failed statements are timed too."""

    __slots__ = ("_driver", "_name", "_on_query")

    def __init__(self, driver: Driver, on_query: OnQuery, name: str | None = None) -> None:
        self._driver = driver
        self._on_query = on_query
        self._name = name

    async def execute(self, query: str, *args: Any) -> str:
        """Run; several statements at once when there are no parameters."""
        began = monotonic_seconds()
        try:
            return await self._driver.execute(query, *args)
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run once for each row of parameters; timed as one."""
        began = monotonic_seconds()
        try:
            await self._driver.executemany(command, args)
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        """All rows."""
        began = monotonic_seconds()
        try:
            return await self._driver.fetch(query, *args)
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        """The first row."""
        began = monotonic_seconds()
        try:
            return await self._driver.fetchrow(query, *args)
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    async def fetchval(self, query: str, *args: Any, column: int = 0) -> Any:
        """One value of the first row."""
        began = monotonic_seconds()
        try:
            return await self._driver.fetchval(query, *args, column=column)
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """COPY rows in."""
        began = monotonic_seconds()
        try:
            return await self._driver.copy_records_to_table(
                table_name, records=records, columns=columns, schema_name=schema_name
            )
        finally:
            self._on_query(self._name, monotonic_seconds() - began)

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A savepoint inside the session's transaction."""
        return self._driver.transaction()

    def is_closed(self) -> bool:
        """Whether the connection is gone; asks nobody."""
        return self._driver.is_closed()

    async def close(self) -> None:
        """Say good-bye to the server."""
        await self._driver.close()
