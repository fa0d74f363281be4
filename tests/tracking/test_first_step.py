"""A limit on whatever `identify` returns: results at once, later, never; errors and cancellations as ever."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from osler.tracking.first_step import Begun, begun
from osler.tracking.first_step import within as waited


async def within(seconds: float, found: Any) -> Any:
    """As the middleware does: a coroutine's first step at once, the rest within the limit."""
    if asyncio.iscoroutine(found):
        found = begun(found)
        if not isinstance(found, Begun):
            return found
    return await waited(seconds, found)


SEEN: ContextVar[str] = ContextVar("SEEN", default="nothing")


async def test_a_result_at_once_takes_no_turn_of_the_loop() -> None:
    turned: list[bool] = []
    asyncio.get_running_loop().call_soon(turned.append, True)

    async def at_once() -> str:
        SEEN.set("in the caller's own context")
        return "s1"

    assert await within(1.0, at_once()) == "s1"
    assert not turned
    assert SEEN.get() == "in the caller's own context"


async def test_results_that_come_after_several_waits_come_through() -> None:
    async def later() -> str:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, ready.set_result, "s")
        async with asyncio.timeout(1.0):
            await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            return await ready + "1"

    assert await within(1.0, later()) == "s1"


async def test_futures_and_tasks_are_waited_for_too() -> None:
    assert await within(1.0, asyncio.ensure_future(asyncio.sleep(0.01, "s1"))) == "s1"


@pytest.mark.parametrize("pause", [0.0, 0.01])
async def test_its_own_errors_come_through(pause: float) -> None:
    async def raises() -> str:
        if pause:
            await asyncio.sleep(pause)
        raise KeyError("name")

    with pytest.raises(KeyError):
        await within(1.0, raises())


async def test_an_error_inside_what_it_waits_for_can_be_caught_by_it() -> None:
    async def catches() -> str:
        broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(broken.set_exception, ValueError())
        try:
            return await broken
        except ValueError:
            return "caught"

    assert await within(1.0, catches()) == "caught"


async def test_what_takes_too_long_is_cancelled_and_may_tidy_up() -> None:
    tidied: list[str] = []

    async def never() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            tidied.append("up")

    with pytest.raises(TimeoutError):
        await within(0.01, never())
    assert tidied == ["up"]


async def test_a_cancellation_from_outside_stays_one() -> None:
    task = asyncio.ensure_future(within(5.0, asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
