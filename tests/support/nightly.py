"""A learner with an exam, answers and a night behind them: what reads and jobs are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from tests.support.learning import LEARNER, START, history, send, small_catalogue

from osler import clock
from osler.analytics.registry import analytics
from osler.catalog.tables import catalog_versions, exam_blueprint, exams, topic_relationships, user_exams
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.rollups.handing_out import Taken
from osler.rollups.making import Making

EXAM = "exam-1"


async def exam_catalogue(database: Database) -> None:
    """The small catalogue with an exam on its three topics and one prerequisite edge."""
    await small_catalogue(database)
    shares = {"cardio": 0.5, "renal": 0.3, "neuro": 0.2}
    async with database.write() as s:
        await s.execute(sa.insert(exams).values(exam_id=EXAM, name="Exam one", question_count=100, cut=0.55))
        await s.execute(
            sa.insert(exam_blueprint),
            [
                {"exam_id": EXAM, "topic_id": t, "section": t, "exam_share": w, "provenance": "published"}
                for t, w in shares.items()
            ],
        )
        await s.execute(
            sa.insert(topic_relationships).values(
                from_topic_id="cardio", to_topic_id="renal", kind="prerequisite", strength=0.5, reason="flow"
            )
        )
        await s.execute(sa.insert(catalog_versions).values(what="exams"))


async def enrol(database: Database, user_id: UUID = LEARNER, *, exam_on: date | None = date(2026, 12, 20)) -> None:
    """Make the learner known, in Berlin, with the exam on that day; None leaves out the exam."""
    async with database.write() as s:
        await s.execute(
            sa.text("insert into users (user_id, time_zone) values (:u, 'Europe/Berlin') on conflict do nothing"),
            {"u": user_id},
        )
        if exam_on is not None:
            await s.execute(sa.insert(user_exams).values(user_id=user_id, exam_id=EXAM, exam_on=exam_on))


async def night(database: Database, user_ids: Sequence[UUID], as_of: datetime, days: Sequence[date]) -> None:
    """What the nightly jobs do for these learners, without leases: counts, then everything as of the instant."""
    live = Live(database, analytics())
    for user_id in user_ids:
        await live.catch_up(user_id)
    pairs = [(user_id, day) for user_id in user_ids for day in days]
    async with database.write() as s:
        making, counted = Making(analytics()), Taken([u for u, _ in pairs], [d for _, d in pairs])
        for rollup in making.rollups:
            await making.count(s, rollup, counted)
        for refresh in making.refreshes:
            await making.refresh(s, refresh, user_ids, as_of)


def recently(days: int) -> datetime:
    """The morning, in a summer's Berlin, so many days ago: what pages show is reckoned from the present."""
    today = clock.now().astimezone(START.tzinfo).replace(hour=9, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


async def studied(database: Database, days: int = 30, user_id: UUID = LEARNER) -> datetime:
    """A learner with a month of study up to yesterday and the night after it; gives the instant of its rows."""
    await enrol(database, user_id, exam_on=recently(-40).date())
    start = recently(days)
    await send(database, history(days, start=start), user_id)
    as_of = recently(0).replace(hour=4).astimezone(UTC)
    await night(database, [user_id], as_of, [start.date() + timedelta(days=d) for d in range(days)])
    return as_of
