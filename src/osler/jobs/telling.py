"""How work that goes over many learners says how far it is: to a job's row, to a bar, or to nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Told = Callable[[int], Awaitable[None]]
"""Hears of so many more that are done with."""


async def silent(_: int) -> None:
    """Nobody wants to know."""
