"""Counts by topic and day, held against a recount in Python; what no longer counts is zeroed or gone."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, START, answer, derived, history, read_to, send, small_catalogue

from osler.analytics.contract import Days
from osler.analytics.mastery.rollup import recount
from osler.analytics.mastery.tables import topic_daily_stats
from osler.analytics.registry import analytics
from osler.catalog.tables import questions
from osler.db.engine import Database
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration
DAYS = [START.date() + timedelta(days=n) for n in range(40)]


async def count(database: Database, days: list[date] = DAYS, user_id=LEARNER) -> None:
    async with database.write() as session:
        await recount(session, Days([user_id] * len(days), days))


async def rows(database: Database, user_id=LEARNER) -> dict[tuple[str, date], dict[str, Any]]:
    found = (await derived(database, [topic_daily_stats], user_id))["topic_daily_stats"]
    return {(row["topic_id"], row["local_date"]): row for row in found}


async def topics_of(database: Database) -> dict[str, list[str]]:
    async with database.read() as session:
        return {row["question_id"]: row["topic_ids"] for row in await session.rows(sa.select(questions))}


def by_hand(events: list[dict[str, Any]], topics: dict[str, list[str]]) -> Counter[tuple[str, date]]:
    return Counter(
        (topic, date.fromisoformat(e["occurred_at"][:10]))
        for e in events
        if e["type"] == "question_submit"
        for topic in topics[e["data"]["question_id"]]
    )


async def test_counts_equal_a_recount_by_hand_and_counting_again_changes_nothing(database: Database):
    await small_catalogue(database)
    events = history(20)
    await send(database, events)
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database)
    found = await rows(database)
    attempted = {key: row["questions_attempted"] for key, row in found.items() if row["questions_attempted"]}
    assert attempted == by_hand(events, await topics_of(database))
    assert sum(row["reading_seconds"] for row in found.values()) > 0
    assert all(row["questions_correct"] <= row["questions_attempted"] for row in found.values())
    await count(database)
    assert await rows(database) == found


async def test_a_question_that_moves_to_another_topic_takes_its_counts_along(database: Database):
    await small_catalogue(database)
    events = [answer(START + timedelta(days=n), n, "q1", right=True, seconds=20.0) for n in range(3)]
    await send(database, events)
    await count(database)
    assert {key[0] for key in await rows(database)} == {"renal"}
    async with database.write() as session:
        await session.execute(sa.update(questions).where(questions.c.question_id == "q1").values(topic_ids=["neuro"]))
    await count(database, DAYS[:2])
    found = await rows(database)
    assert {key: row["questions_attempted"] for key, row in found.items()} == {
        ("neuro", DAYS[0]): 1, ("neuro", DAYS[1]): 1, ("renal", DAYS[2]): 1,
    }  # fmt: skip


async def test_what_the_fold_wrote_of_a_day_stays_when_its_counts_go(database: Database):
    await small_catalogue(database)
    await send(database, [answer(START, 0, "q1", right=True, seconds=20.0)])
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database)
    async with database.write() as session:
        await session.execute(sa.update(questions).where(questions.c.question_id == "q1").values(topic_ids=["neuro"]))
    await count(database)
    old = (await rows(database))["renal", DAYS[0]]
    assert (old["questions_attempted"], old["answer_seconds"]) == (0, 0)
    assert old["mastery"] is not None


async def test_another_learners_day_is_left_alone(database: Database):
    await small_catalogue(database)
    for user_id in (LEARNER, OTHER):
        await send(database, [answer(START, 0, "q1", right=True, seconds=20.0)], user_id)
        await send(database, [read_to(START + timedelta(minutes=5), 1, "m1", 0.5)], user_id)
        await count(database, user_id=user_id)
    before = await rows(database, OTHER)
    await count(database)
    assert before == await rows(database, OTHER) != {}
