"""Who has left a class is not in it: for the forecast that is shown, the one that is kept, and what rows rest on."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, history, send, small_catalogue

from osler.analytics import grounds
from osler.analytics.readiness.queries import readiness_of
from osler.analytics.readiness.snapshots import cohorts_of
from osler.analytics.registry import analytics
from osler.catalog.classes import take_members
from osler.catalog.tables import cohort_members, cohorts
from osler.db.engine import Database
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def class_told(database: Database) -> tuple[str | None, str | None]:
    """(of whom forecasts are kept, of whom one is shown)."""
    async with database.read(primary=True) as session:
        found, _ = await readiness_of(session, LEARNER, AT)
        return (await cohorts_of(session, [LEARNER])).get(LEARNER), found["cohort_id"]


async def test_a_learner_who_has_left_a_class_is_not_counted_there(database: Database):
    await small_catalogue(database)
    await send(database, history(3))
    await Live(database, analytics()).catch_up(LEARNER)
    async with database.write() as session:
        await session.execute(sa.insert(cohorts), [{"cohort_id": name, "name": name} for name in ("a", "b")])
        members = [
            {"cohort_id": name, "user_id": LEARNER, "role": "learner", "since_on": date(2026, 9, 1)}
            for name in ("a", "b")
        ]
        await session.execute(sa.insert(cohort_members), members)
        found = await grounds.standing(session, [LEARNER], AT)
        await grounds.note(session, "exam_projection", found, [])
    assert await class_told(database) == ("a", "a")
    async with database.write() as session:
        assert await grounds.behind(session, ["exam_projection"], [LEARNER]) == []
        await take_members(session, "a", [LEARNER])
        assert await grounds.behind(session, ["exam_projection"], [LEARNER]) == [LEARNER]
    assert await class_told(database) == ("b", "b")
    async with database.write() as session:
        await take_members(session, "b", [LEARNER])
    assert await class_told(database) == (None, None)
