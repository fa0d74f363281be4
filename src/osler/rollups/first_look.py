"""A learner's first figures on the day they begin: counts and rows as of now, without waiting for the night.

Until a first night has come, every few minutes that bring new answers bring new gaps, patterns, readiness and a plan.
The log's marks are left for the night, which counts the same days again; so this may be done twice, or not at all.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import structlog

from osler.analytics.contract import Analytic
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.errors import OslerError
from osler.eventlog import learner_locks
from osler.http.cache.news import announce
from osler.rollups.handing_out import Taken
from osler.rollups.making import Making

MOST_DAYS = 60
PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 1800.0
AGAIN_SECONDS = 5.0
IDLE_SHARE = 3.0
"""For each second of work three of rest: however many begin at once, the answers of the others come first."""
MOST_WAITING = 10_000
MOST_KNOWN = 100_000
LOCK_SPACE = 5

_log: Any = structlog.get_logger("osler.rollups")

# The night holds the space alone; first looks share it, and one learner is looked at by one process at a time.
_NIGHT = "select pg_advisory_xact_lock($1, 0)"
_LOOK = "select pg_try_advisory_xact_lock_shared($1, 0) and pg_try_advisory_xact_lock($2, $3)"
_STANDING = """
select settled_as_of is null as is_new from learner_states where user_id = $1 and cursor_ts is not null for key share
"""
_DAYS = "select distinct local_date from study_events where user_id = $1 order by 1 limit $2"


class Look(Enum):
    """How a look ended."""

    DONE = "done"
    LATER = "later"
    NOT_NEEDED = "not_needed"


async def wait_for_first_looks(session: WriteSession) -> None:
    """Have the rest of the transaction to oneself: rows that a first look makes are made by nobody else meanwhile."""
    await session.driver().execute(_NIGHT, LOCK_SPACE)


async def first_look(database: Database, analytics: Sequence[Analytic], user_id: UUID) -> Look:
    """Count and refresh one learner as of now, in one transaction.

    `LATER` while the night or another process is at it. `NOT_NEEDED` for who has had a night or was erased, and for
    more than 60 days of history: an import makes everything itself.
    """
    as_of = await database.now()
    async with database.write(is_durable=False) as session:
        key = learner_locks.key(user_id)
        if not await session.driver().fetchval(_LOOK, LOCK_SPACE, LOCK_SPACE + 1, key):
            return Look.LATER
        is_new: bool | None = await session.driver().fetchval(_STANDING, user_id)
        days = [row["local_date"] for row in await session.driver().fetch(_DAYS, user_id, MOST_DAYS + 1)]
        if not is_new or not 0 < len(days) <= MOST_DAYS:
            return Look.NOT_NEEDED
        making, looked_at = Making(analytics), Taken([user_id] * len(days), days)
        for rollup in making.rollups:
            await making.count(session, rollup, looked_at)
        for refresh in making.refreshes:
            await making.refresh(session, refresh, [user_id], as_of)
        await announce(session, user_id)
    return Look.DONE


@dataclass(slots=True)
class _Waiting:
    """When a learner is to be looked at next, and how long the pause after that is."""

    due: float
    pause: float = PAUSE_SECONDS


class Newcomers:
    """Looks at learners who have begun today, one at a time, each again after a pause that doubles."""

    def __init__(self, database: Database, analytics: Sequence[Analytic]) -> None:
        self._database = database
        self._analytics = analytics
        self._waiting: dict[UUID, _Waiting] = {}
        self._last: OrderedDict[UUID, _Waiting] = OrderedDict()
        self._had_a_night: OrderedDict[UUID, None] = OrderedDict()
        self._noted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work, in a task of the running loop."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; what was not looked at is seen by the night."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def note(self, user_id: UUID) -> None:
        """A learner has new answers folded; those who have had a night, and beyond a limit others too, are let be."""
        if user_id in self._had_a_night or user_id in self._waiting or len(self._waiting) >= MOST_WAITING:
            return
        last = self._last.pop(user_id, None)
        now = asyncio.get_running_loop().time()
        if last is None:
            self._waiting[user_id] = _Waiting(now)
        else:
            pause = min(2 * last.pause, LONGEST_PAUSE_SECONDS)
            self._waiting[user_id] = _Waiting(max(now, last.due + last.pause), pause)
        self._noted.set()

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            if not self._waiting:
                self._noted.clear()
                await self._noted.wait()
            user_id, waiting = min(self._waiting.items(), key=lambda pair: pair[1].due)
            if waiting.due > clock():
                self._noted.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._noted.wait(), waiting.due - clock())
                continue
            began = clock()
            await self._one(user_id, waiting, began)
            await asyncio.sleep(IDLE_SHARE * (clock() - began))

    async def _one(self, user_id: UUID, waiting: _Waiting, now: float) -> None:
        try:
            ended = await first_look(self._database, self._analytics, user_id)
        except Exception as failed:  # noqa: BLE001 - one learner must not stop the others; the night makes it good
            code = failed.code if isinstance(failed, OslerError) else type(failed).__name__
            _log.warning("first_look.failed", code=code)
            ended = Look.NOT_NEEDED
        if ended is Look.LATER:
            waiting.due = now + AGAIN_SECONDS
            return
        del self._waiting[user_id]
        if ended is Look.DONE:
            waiting.due = now
            _remember(self._last, user_id, waiting)
        else:
            _remember(self._had_a_night, user_id, None)


def _remember(kept: OrderedDict[UUID, Any], user_id: UUID, what: object) -> None:
    kept[user_id] = what
    while len(kept) > MOST_KNOWN:
        kept.popitem(last=False)
