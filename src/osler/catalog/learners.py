"""What a learner has set: zone, start of the day, target recall, the exam and the minutes planned for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from osler.catalog.snapshot import NEWEST, Catalogue, catalogue_named
from osler.catalog.tables import user_exams, users
from osler.db.engine import ReadSession
from osler.domain.local_day import local_day


@dataclass(frozen=True, slots=True)
class LearnerSetup:
    """One learner's settings. `exam_id` and `exam_on` are None where no exam is set; minutes are Monday first."""

    user_id: UUID
    time_zone: str = "UTC"
    day_start_minutes: int = 240
    desired_retention: float = 0.9
    exam_id: str | None = None
    exam_on: date | None = None
    minutes_per_day: tuple[int, ...] | None = None
    goal_score: float | None = None

    def today(self, at: datetime) -> date:
        """The learner's local day at an instant."""
        return local_day(self.wall_clock(at), self.day_start_minutes)

    def wall_clock(self, at: datetime) -> datetime:
        """An instant on the learner's wall clock."""
        return at.astimezone(ZoneInfo(self.time_zone))

    def days_to_exam(self, at: datetime) -> int | None:
        """Local days until the exam, 0 on the day and after it; None without a date."""
        return None if self.exam_on is None else max(0, (self.exam_on - self.today(at)).days)


_SETUPS = (
    sa.select(
        users.c.user_id, users.c.time_zone, users.c.day_start_minutes, users.c.desired_retention,
        user_exams.c.exam_id, user_exams.c.exam_on, user_exams.c.minutes_per_day, user_exams.c.goal_score,
    )
    .select_from(users.outerjoin(user_exams, sa.and_(user_exams.c.user_id == users.c.user_id, user_exams.c.is_current)))
    .where(users.c.user_id == sa.any_(sa.bindparam("user_ids", type_=sa.ARRAY(sa.Uuid()))))
)  # fmt: skip


async def setups(s: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, LearnerSetup]:
    """The settings of these learners; a learner who is not known has the defaults."""
    found = {user_id: LearnerSetup(user_id) for user_id in user_ids}
    for row in await s.rows(_SETUPS, {"user_ids": list(user_ids)}):
        given: dict[str, Any] = dict(row)
        if given["minutes_per_day"] is not None:
            given["minutes_per_day"] = tuple(given["minutes_per_day"])
        found[row["user_id"]] = LearnerSetup(**given)
    return found


async def setup(s: ReadSession, user_id: UUID) -> LearnerSetup:
    """The settings of one learner."""
    return (await setups(s, [user_id]))[user_id]


# Begins a statement that gathers an answer about one learner: $1 is the learner, $2 the instant. One row, `me`.
ME = """
me as (
  select k.user_id, k.as_of, coalesce(u.time_zone, 'UTC') as time_zone,
         ((k.as_of at time zone coalesce(u.time_zone, 'UTC'))
          - make_interval(mins => coalesce(u.day_start_minutes, 240)))::date as today
    from (select $1::uuid as user_id, $2::timestamptz as as_of) k left join users u on u.user_id = k.user_id)
"""


async def gather(s: ReadSession, statement: str, user_id: UUID, as_of: datetime, *more: object) -> dict[str, Any]:
    """The one JSON object that a statement over `me` makes: everything that an answer needs, in one round trip."""
    made: str = await s.driver().fetchval(statement, user_id, as_of, *more)
    return msgspec.json.decode(made)


async def gather_known(
    s: ReadSession, statement: str, user_id: UUID, as_of: datetime, *more: object
) -> tuple[dict[str, Any], Catalogue]:
    """The same, and the newest catalogue, still in one round trip."""
    row: Any = await s.driver().fetchrow(f"select ({statement}), {NEWEST}", user_id, as_of, *more)
    return msgspec.json.decode(row[0]), await catalogue_named(s, row[1])
