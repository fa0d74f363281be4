"""The log, folded again beside the live rows, says the same; a row that was tampered with is found."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, derived, history, send, small_catalogue

from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.live.replay import Replay, as_json
from osler.rollups.draining import drain

pytestmark = pytest.mark.integration


async def test_live_rows_equal_their_replay_however_the_events_were_split(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    events = history()
    for start in range(0, len(events), 13):
        await send(database, events[start : start + 13])
        await live.catch_up(LEARNER)
    await send(database, list(reversed(events)), OTHER)
    await live.catch_up(OTHER)
    await drain(database, analytics())
    report = await Replay(database, analytics()).verify()
    assert as_json(report)["equal"], as_json(report)
    assert report.learners == 2
    assert report.tables["topic_mastery"].rows == 6


async def test_a_row_that_was_changed_by_hand_is_found_by_table_and_column(database: Database):
    await small_catalogue(database)
    await send(database, history(5))
    await Live(database, analytics()).catch_up(LEARNER)
    async with database.write() as session:
        await session.execute(sa.update(topic_mastery).where(topic_mastery.c.topic_id == "renal").values(correct=99))
    await drain(database, analytics())
    report = await Replay(database, analytics()).verify([LEARNER])
    assert not report.equal
    assert report.tables["topic_mastery"].columns == {"correct": 1}


async def test_a_replay_changes_nothing(database: Database):
    await small_catalogue(database)
    await send(database, history(5))
    await Live(database, analytics()).catch_up(LEARNER)
    tables = [found.table for analytic in analytics() for found in analytic.tables]
    before = await derived(database, tables, LEARNER)
    await Replay(database, analytics()).verify()
    assert await derived(database, tables, LEARNER) == before
