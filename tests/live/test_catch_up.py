"""One learner from the log to the live rows."""

from __future__ import annotations

import pytest
from tests.support.learning import LEARNER, START, answer, derived, history, send, small_catalogue

from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration


async def test_an_answer_is_in_the_topics_row_at_once(database: Database):
    await small_catalogue(database)
    await send(database, [answer(START, 1, "q0", right=True)])
    caught = await Live(database, analytics()).catch_up(LEARNER)
    assert caught.events == 1
    [row] = (await derived(database, [topic_mastery], LEARNER))["topic_mastery"]
    assert (row["topic_id"], row["questions_attempted"], row["questions_correct"]) == ("cardio", 1, 1)
    assert row["status"] == "insufficient_data"
    assert row["mastery_low"] <= row["mastery"] <= row["mastery_high"]


async def test_a_second_catch_up_has_nothing_to_do(database: Database):
    await small_catalogue(database)
    await send(database, history(3))
    live = Live(database, analytics())
    first = await live.catch_up(LEARNER)
    second = await live.catch_up(LEARNER)
    assert (first.events, second.events, second.generation) == (21, 0, first.generation)
