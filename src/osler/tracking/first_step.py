"""A limit on an awaitable that costs nothing where it has its result at once, as most have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar, cast

T = TypeVar("T")


def begun(coroutine: Coroutine[Any, Any, T]) -> T | Begun[T]:
    """The result of a coroutine that never has to wait, without a timer or a task of its own; else what is awaited.

    Errors: whatever it raises itself.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    return Begun(coroutine, waits_for)


async def within(seconds: float, found: Awaitable[T]) -> T:
    """The result of `found`.

    Errors: TimeoutError when it takes longer; whatever it raises itself; TypeError when it cannot be awaited.
    """
    async with asyncio.timeout(seconds):
        return await found


class Begun(Awaitable[T]):
    """A coroutine whose first step has been taken: what it waits for is handed on, and so is what comes back."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        while True:
            try:
                got = yield self._waits_for
            except BaseException as error:  # noqa: BLE001 (a cancellation is the coroutine's to see)
                failed: BaseException | None = error
                got = None
            else:
                failed = None
            try:
                self._waits_for = self._coroutine.send(got) if failed is None else self._coroutine.throw(failed)
            except StopIteration as done:
                return cast("T", done.value)
