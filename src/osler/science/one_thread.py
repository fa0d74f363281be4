"""Keeps small optimisations on one thread: BLAS threads that wait for one another cost more than they bring.

Measured: a fit of seven parameters on two busy cores took 10 s with two BLAS threads, 1.5 s with one.
"""

# threadpoolctl ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Generator[None, None, None]:
    """BLAS on one thread inside the block, where threadpoolctl (it comes with the fitting extra) is installed."""
    controller = _controller()
    if controller is None:
        yield
    else:
        with controller.limit(limits=1, user_api="blas"):
            yield


@cache
def _controller() -> Any:  # a ThreadpoolController, untyped, or None
    try:
        import threadpoolctl  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController()
