"""A disk whose sync takes as long as that of a common SSD, for a bench's own server: what waiting does to a ratio.

Where a sync takes a tenth of a millisecond, COPY never waits for the disk: a ratio of rates is one of processor times.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

SYNC_US = 1_000


@asynccontextmanager
async def sync_takes(admin: Any, us: int = SYNC_US) -> AsyncGenerator[None]:
    """Have the server wait so long before each flush of its log: the same for everybody who commits.

    `commit_delay` is meant to gather commits; with `commit_siblings` at 0 the one who flushes waits every time.
    """
    try:
        await admin.execute(f"alter system set commit_delay = {us}")
        await admin.execute("alter system set commit_siblings = 0")
        await _reload(admin)
        yield
    finally:
        await admin.execute("alter system reset commit_delay")
        await admin.execute("alter system reset commit_siblings")
        await _reload(admin)


async def commit_ms(admin: Any) -> float:
    """What a COMMIT takes that nobody shares, at the median of fifty: whether the server does wait."""
    await admin.execute("create table if not exists committed (n int)")
    taken = list[float]()
    for n in range(50):
        began = time.perf_counter()
        await admin.execute(f"insert into committed values ({n})")
        taken.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(taken), 2)


async def _reload(admin: Any) -> None:
    await admin.execute("select pg_reload_conf()")
    await asyncio.sleep(0.2)
