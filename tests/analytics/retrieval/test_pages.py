"""What the retrieval page counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, START, review, send, small_catalogue
from tests.support.nightly import enrol, exam_catalogue

from osler.analytics.registry import analytics
from osler.analytics.retrieval.pages import calendar, overview
from osler.db.engine import Database
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration

# A refold under other parameters writes its own forecasts of the same reviews.
_OF_ANOTHER_VERSION = sa.text(
    "insert into predictions select (jsonb_populate_record(p, jsonb_build_object("
    "'model_version', 'another', 'made_at', p.made_at + interval '1 day', 'probability', 0.01))).* from predictions p"
)


async def test_a_review_counts_once_by_the_forecast_that_was_made_first(database: Database) -> None:
    await small_catalogue(database)
    await send(database, [review(START + timedelta(days=day), day, "c1", 3) for day in range(6)])
    await Live(database, analytics()).catch_up(LEARNER)
    before = await weeks(database)
    assert sum(week[1] for week in before) == 5
    async with database.write() as session:
        await session.execute(_OF_ANOTHER_VERSION)
    assert await weeks(database) == before


async def weeks(database: Database) -> list[list[Any]]:
    async with database.read(primary=True) as session:
        found, _ = await overview(session, LEARNER, START + timedelta(days=7))
        return list(found["weeks"])


async def test_nothing_is_due_from_the_day_of_an_exam_on(database: Database) -> None:
    await exam_catalogue(database)
    await send(database, [review(START + timedelta(days=day), day, f"c{day % 3}", 3) for day in range(6)])
    await Live(database, analytics()).catch_up(LEARNER)
    today = START + timedelta(days=7)
    free = await due_days(database, today)
    latest = max(free)
    await enrol(database, exam_on=latest)
    assert await due_days(database, today) == [day for day in free if day < latest]


async def due_days(database: Database, at: datetime) -> list[date]:
    async with database.read(primary=True) as session:
        found = await calendar(session, LEARNER, at)
    return [date.fromisoformat(day) for day, _ in found["due"]]
