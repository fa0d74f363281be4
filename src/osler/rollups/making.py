"""Counts days and makes rows as of an instant, so that what rests on them is owed: the night, a drain and a first look.

At every COMMIT a derived row is either what the log says, or a mark or an entry says that it is still to be made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics import grounds
from osler.analytics.contract import Analytic, DayRollup, Days, Refresh
from osler.analytics.registry import refreshes_of, resting_on, rollups_of
from osler.db.session import ReadSession, WriteSession
from osler.rollups.handing_out import Taken, forget_others, hand_out, owe

_WAITING = """
select user_id from unnest($1::uuid[]) as u(user_id)
 where exists (select from dirty_days d where d.user_id = u.user_id)
    or exists (select from stale_days d where d.user_id = u.user_id)
"""


class Making:
    """The counts and refreshes of an installation, in order."""

    def __init__(self, analytics: Sequence[Analytic]) -> None:
        self.rollups: list[DayRollup] = rollups_of(analytics)
        self.refreshes: list[Refresh] = refreshes_of(analytics)
        self.first = [rollup.name for rollup in self.rollups if not rollup.after]
        """The rollups that marks are handed out to; the others get their days from these."""

    async def hand_out(self, session: WriteSession) -> int:
        """Turn the oldest marks into days to count; gives how many, 0 when none is left."""
        await forget_others(session, [rollup.name for rollup in self.rollups])
        return await hand_out(session, self.first)

    async def count(self, session: WriteSession, rollup: DayRollup, days: Taken) -> None:
        """Count these days; rollups that count its rows owe them next, and rows of these learners are made again."""
        await rollup.recount(session, Days(days.user_ids, days.local_dates))
        pairs = list(zip(days.user_ids, days.local_dates, strict=True))
        await owe(session, [later.name for later in self.rollups if rollup.name in later.after], pairs)
        await grounds.forget(session, days.learners)

    async def refresh(self, session: WriteSession, refresh: Refresh, user_ids: Sequence[UUID], as_of: datetime) -> None:
        """Make rows of these learners, as of the instant or of their last folded event where that is later."""
        found = await grounds.standing(session, user_ids, as_of)
        await refresh.refresh(session, found.moments)
        await grounds.note(session, refresh.name, found, resting_on(self.refreshes, refresh.name))

    async def waiting(self, session: ReadSession, user_ids: Sequence[UUID]) -> Collection[UUID]:
        """Those of the learners with events that nobody has looked at, or with days to count or rows to make."""
        rows: Any = await session.driver().fetch(_WAITING, list(user_ids))
        behind = await grounds.behind(session, [refresh.name for refresh in self.refreshes], user_ids)
        return {*behind, *(row["user_id"] for row in rows)}
