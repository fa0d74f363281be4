"""A learner's first day: gaps and a plan without a night, once at a time, and a night that makes the same of it."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, answer, derived, send
from tests.support.nightly import exam_catalogue, recently
from tests.support.web import Web

from osler import clock
from osler.analytics.efficiency.tables import daily_user_stats
from osler.analytics.gaps.tables import knowledge_gaps
from osler.analytics.readiness.tables import user_learning_metrics
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.eventlog import marks
from osler.live.catch_up import Live
from osler.live.replay import Replay
from osler.rollups.draining import drain
from osler.rollups.first_look import MOST_DAYS, Look, Newcomers, first_look, wait_for_first_looks
from osler.worker.night import night_of

pytestmark = pytest.mark.integration
TABLES = [daily_user_stats, knowledge_gaps, user_learning_metrics]


def thirty_answers() -> list[dict[str, Any]]:
    begun = clock.now() - timedelta(hours=1)
    return [answer(begun + timedelta(minutes=n), n, f"q{n % 12}", right=n % 3 > 0) for n in range(30)]


async def begun(database: Database, user_id: UUID = LEARNER) -> None:
    await exam_catalogue(database)
    await send(database, thirty_answers(), user_id)
    await Live(database, analytics()).catch_up(user_id)


async def test_thirty_answers_bring_gaps_and_a_plan_on_the_same_day(web: Web):
    await exam_catalogue(web.platform.db)
    body = {"sent_at": clock.now().isoformat(), "events": thirty_answers()}
    sent = await web.client.post("/api/events/batch", json=body, headers=web.auth())
    assert sent.status_code in (200, 202), sent.text
    block: Any = None
    for _ in range(300):
        block = (await web.get("/api/analytics/plan")).json()["block"]
        if block is not None:
            break
        await asyncio.sleep(0.1)
    assert block
    assert block["topic_id"] in {"cardio", "renal", "neuro"}
    gaps = (await web.get("/api/analytics/knowledge-gaps")).json()
    assert gaps["gaps"]
    readiness = (await web.get("/api/analytics/exam-readiness")).json()
    assert readiness["features"]["questions_attempted_total"] == 30


async def test_a_look_leaves_the_marks_and_the_night_makes_the_same_counts(database: Database):
    await begun(database)
    async with database.read(primary=True) as s:
        left = await marks.take(s, LEARNER, marks.ROLLUP)
    assert await first_look(database, analytics(), LEARNER) is Look.DONE
    first = await derived(database, TABLES, LEARNER)
    assert first["knowledge_gaps"]
    async with database.read(primary=True) as s:
        assert await marks.take(s, LEARNER, marks.ROLLUP) == left
    assert await first_look(database, analytics(), LEARNER) is Look.DONE
    await drain(database, analytics())
    after = await derived(database, TABLES, LEARNER)
    assert after["daily_user_stats"] == first["daily_user_stats"]
    assert [(g["topic_id"], g["rank"]) for g in after["knowledge_gaps"]] == [
        (g["topic_id"], g["rank"]) for g in first["knowledge_gaps"]
    ]
    assert (await Replay(database, analytics()).verify([LEARNER])).equal


async def test_who_has_had_a_night_is_left_to_the_nights(database: Database):
    await begun(database)
    await night_of(database).ring()
    before = await derived(database, TABLES, LEARNER)
    assert await first_look(database, analytics(), LEARNER) is Look.NOT_NEEDED
    assert await derived(database, TABLES, LEARNER) == before
    assert await first_look(database, analytics(), OTHER) is Look.NOT_NEEDED, "nothing of them is there"


async def test_a_long_history_is_left_to_its_import(database: Database):
    await exam_catalogue(database)
    days = [answer(recently(MOST_DAYS + 5 - n), n, f"q{n % 12}", right=True) for n in range(MOST_DAYS + 1)]
    await send(database, days)
    await Live(database, analytics()).catch_up(LEARNER)
    assert await first_look(database, analytics(), LEARNER) is Look.NOT_NEEDED
    assert (await derived(database, TABLES, LEARNER))["knowledge_gaps"] == []


async def test_a_look_keeps_away_from_a_night_at_work_and_two_looks_from_each_other(database: Database):
    await begun(database)
    async with database.write() as night:
        await wait_for_first_looks(night)
        assert await first_look(database, analytics(), LEARNER) is Look.LATER
    ended = await asyncio.gather(*(first_look(database, analytics(), LEARNER) for _ in range(3)))
    assert set(ended) <= {Look.DONE, Look.LATER}
    assert Look.DONE in ended
    async with database.read(primary=True) as s:
        assert (
            await s.scalar(sa.text("select count(*) from pg_locks where locktype = 'advisory' and classid in (5, 6)"))
            == 0
        )


async def test_the_pause_between_two_looks_doubles_up_to_half_an_hour(database: Database, monkeypatch):
    looked: list[float] = []
    now = 0.0

    async def look(*_: object) -> Look:
        looked.append(now)
        return Look.DONE

    monkeypatch.setattr("osler.rollups.first_look.first_look", look)
    newcomers = Newcomers(database, analytics())
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now, raising=False)
    for _ in range(8):
        newcomers.note(LEARNER)
        waiting = newcomers._waiting[LEARNER]
        now = max(now, waiting.due)
        await newcomers._one(LEARNER, waiting, now)
    pauses = [later - earlier for earlier, later in itertools.pairwise(looked)]
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800]
