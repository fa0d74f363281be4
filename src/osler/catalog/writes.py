"""What changes a learner's own entries: settings, exam, consent. The caller's transaction commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from osler.catalog.consents import Purpose, stated
from osler.catalog.tables import exams, user_exams, users
from osler.db.engine import WriteSession
from osler.errors import InvalidInput, NotFound

SETTINGS = frozenset({"time_zone", "day_start_minutes", "desired_retention"})

KNOWS_ZONE = "select exists (select 1 from pg_timezone_names where name = :zone)"


async def ensure_user(s: WriteSession, user_id: UUID, *, is_sample: bool = False, time_zone: str = "UTC") -> None:
    """Make the learner's row where there is none."""
    row = {"user_id": user_id, "is_sample": is_sample, "time_zone": time_zone}
    await s.execute(insert(users).values(row).on_conflict_do_nothing())


async def ensure_users(s: WriteSession, user_ids: Sequence[UUID]) -> None:
    """Make the rows of many learners where there are none, in one statement."""
    made = "insert into users (user_id, is_sample, time_zone) select u, false, 'UTC' from unnest($1::uuid[]) u"
    await s.driver().execute(f"{made} on conflict do nothing", list(user_ids))


async def change_settings(s: WriteSession, user_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change zone, start of the day or target recall.

    Errors: NotFound when the learner was erased; InvalidInput for a zone that this PostgreSQL does not know (its
    zones are not Python's, and a learner with such a zone could be asked nothing any more).
    """
    values = {name: value for name, value in changes.items() if name in SETTINGS}
    zone = {"zone": values.get("time_zone")}
    if zone["zone"] is not None and not await s.scalar(sa.text(KNOWS_ZONE), zone):
        raise InvalidInput("The database does not know this zone.", code="time.zone_unknown")
    if values:
        await _changed(s, sa.update(users).where(users.c.user_id == user_id).values(values))


async def state_consent(s: WriteSession, user_id: UUID, purpose: Purpose, *, given: bool, at: datetime) -> None:
    """Record a yes or a no. Errors: NotFound when the learner was erased."""
    mine = users.c.user_id == user_id
    consents = await s.scalar(sa.select(users.c.consents).where(mine).with_for_update())
    if consents is None:
        raise NotFound("There is nothing here.")
    await s.execute(sa.update(users).where(mine).values(consents=stated(consents, purpose, given=given, at=at)))


async def choose_exam(
    s: WriteSession,
    user_id: UUID,
    exam_id: str,
    *,
    exam_on: date | None,
    minutes_per_day: Sequence[int] | None,
    goal_score: float | None,
) -> None:
    """Make this the learner's current exam. Errors: NotFound when there is no such exam."""
    if await s.scalar(sa.select(exams.c.exam_id).where(exams.c.exam_id == exam_id)) is None:
        raise NotFound("There is no such exam.", code="exam.unknown")
    await s.execute(sa.update(user_exams).where(user_exams.c.user_id == user_id).values(is_current=False))
    minutes = None if minutes_per_day is None else list(minutes_per_day)
    values = {"exam_on": exam_on, "minutes_per_day": minutes, "goal_score": goal_score, "is_current": True}
    await s.execute(
        insert(user_exams)
        .values(user_id=user_id, exam_id=exam_id, **values)
        .on_conflict_do_update(index_elements=["user_id", "exam_id"], set_=values)
    )


async def request_erasure(s: WriteSession, user_id: UUID) -> None:
    """Note that the learner wants to be erased; the erasure has a role of its own. Asking twice changes nothing."""
    asked = sa.func.coalesce(users.c.erase_requested_at, sa.func.now())
    await _changed(s, sa.update(users).where(users.c.user_id == user_id).values(erase_requested_at=asked))


async def _changed(s: WriteSession, update: sa.Update) -> None:
    # RETURNING, never the row count: Citus counts rows that it did not touch.
    if await s.scalar(update.returning(users.c.user_id)) is None:
        raise NotFound("There is nothing here.")
