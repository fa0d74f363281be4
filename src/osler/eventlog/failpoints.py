"""Named places where a test may stop the process: `OSLER_FAILPOINT=after_insert:kill`, in the test profile alone."""

from __future__ import annotations

import asyncio
import os
import signal

from osler.errors import Misconfigured, Unavailable

POINTS = ("before_insert", "after_insert", "before_commit", "after_commit")


async def reach(point: str, configured: str | None) -> None:
    """Do what is configured for this point, if anything is: `kill`, `raise`, or `sleep` for two seconds."""
    if configured is None:
        return
    name, _, action = configured.partition(":")
    if name not in POINTS or action not in {"kill", "raise", "sleep"}:
        msg = f"OSLER_FAILPOINT is point:action with a point of {', '.join(POINTS)} and kill, raise or sleep"
        raise Misconfigured(msg)
    if name != point:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise Unavailable(f"failpoint {point}")
    await asyncio.sleep(2)
