"""A progress bar on standard error, for work that takes more than a moment; silent where nobody watches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """`with Bar("importing", 6779) as bar: bar.advance(500)`."""

    def __init__(self, what: str, total: int | None) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
        )
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, n: int) -> None:
        """So many more are done."""
        self._progress.advance(self._task, n)

    async def told(self, n: int) -> None:
        """The same, for who waits for an answer."""
        self.advance(n)

    def beside(self, what: str, total: int | None) -> Callable[[int], Awaitable[None]]:
        """A line of its own for what comes next; its time runs from its first step."""
        task = self._progress.add_task(what, total=total, start=False)

        async def told(n: int) -> None:
            self._progress.start_task(task)
            self._progress.advance(task, n)

        return told
