"""Lets Python's cycle collector rest while much of a log lies in memory: a refold, an import.

Both make hundreds of thousands of values, none of them in a cycle, and each full collection would visit all of them
again: more than half of a refold's processor time, a quarter of an import's. What is no longer used is freed at once
all the same.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

_resting = 0


@contextmanager
def collector_at_rest() -> Generator[None]:
    """No collection until the last of the blocks that run at once ends; it stays off where it was off before."""
    global _resting  # noqa: PLW0603 - the collector is one for the whole process, and so is who lets it rest
    was_on = gc.isenabled()
    if not was_on and not _resting:
        yield
        return
    _resting += 1
    gc.disable()
    try:
        yield
    finally:
        _resting -= 1
        if not _resting:
            gc.enable()
