"""Named places where a test may stop the process: `OSLER_FAILPOINT=after_insert:kill`, in the test profile alone.

`after_insert:kill:7` waits for the seventh time that the place is reached.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

from osler.errors import Misconfigured, Unavailable

POINTS = ("before_insert", "after_insert", "before_commit", "after_commit")
_reached: Counter[str] = Counter()


async def reach(point: str, configured: str | None) -> None:
    """Do what is configured for this point, if anything is: `kill`, `raise`, or `sleep` for two seconds."""
    if configured is None:
        return
    name, _, rest = configured.partition(":")
    action, _, nth = rest.partition(":")
    if name not in POINTS or action not in {"kill", "raise", "sleep"} or not (nth or "1").isdigit():
        msg = f"OSLER_FAILPOINT is point:action[:nth] with a point of {', '.join(POINTS)} and kill, raise or sleep"
        raise Misconfigured(msg)
    if name != point:
        return
    _reached[point] += 1
    if nth and _reached[point] != int(nth):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise Unavailable(f"failpoint {point}")
    await asyncio.sleep(2)
