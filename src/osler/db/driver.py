"""The part of asyncpg that we use, with types: asyncpg itself ships none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Record(Protocol):
    """A row: by position, by name, or as a mapping."""

    def __getitem__(self, key: int | str) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...

    def keys(self) -> Iterator[str]:
        """Names of the columns."""
        ...

    def values(self) -> Iterator[Any]:
        """The values in order."""
        ...

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names with values."""
        ...

    def get(self, key: str, default: Any = ..., /) -> Any:
        """The value of a column, or `default` when there is no such column."""
        ...


class Driver(Protocol):
    """A connection. Parameters are `$1`, `$2`, …."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run; several statements at once when there are no parameters. The command tag."""
        ...

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run once for each row of parameters, pipelined."""
        ...

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        """All rows."""
        ...

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        """The first row."""
        ...

    async def fetchval(self, query: str, *args: Any, column: int = 0) -> Any:
        """One value of the first row."""
        ...

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """COPY rows in, binary."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A transaction, or a savepoint inside one."""
        ...

    def is_closed(self) -> bool:
        """Whether the connection is gone; asks nobody."""
        ...

    async def close(self) -> None:
        """Say good-bye to the server."""
        ...


class DriverPool(Protocol):
    """Connections that are lent out and come back."""

    def acquire(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Driver]:
        """Borrow one. Errors: TimeoutError when none is free in time."""
        ...

    def get_size(self) -> int:
        """Connections that are open."""
        ...

    def get_idle_size(self) -> int:
        """Connections that nobody uses now."""
        ...

    async def close(self) -> None:
        """Wait for all to come back, then close."""
        ...

    def terminate(self) -> None:
        """Close without waiting."""
        ...
