"""Habits and insights of a night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.learning import LEARNER, START, answer, derived, event, history, send
from tests.support.nightly import enrol, exam_catalogue, night, recently, studied
from tests.support.web import Web

from osler.analytics.contract import Moments
from osler.analytics.patterns.gather import gathered
from osler.analytics.patterns.rollup import refresh
from osler.analytics.patterns.tables import learner_habits, learner_insights
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.rollups.making import Making
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration
TABLES = [learner_habits, learner_insights]


async def test_habits_are_measured_from_sessions_and_answers(database: Database):
    await exam_catalogue(database)
    await studied(database)
    [habits] = (await derived(database, TABLES, LEARNER))["learner_habits"]
    assert habits["sessions"] == 30
    assert 7 <= habits["usual_hour"] <= 11
    assert 0 <= habits["spacing_index"] <= 1
    assert habits["interleaving_index"] > 0
    assert sum(share for share, _, _ in habits["preference"].values()) == pytest.approx(1)
    assert habits["cramming_index"] is None, "the exam is far off"
    assert habits["multitasked_share"] is None, "the client sends no visibility events"


async def test_insights_without_their_data_say_so_and_show_nothing(database: Database):
    await exam_catalogue(database)
    await studied(database)
    found = {r["insight"]: r for r in (await derived(database, TABLES, LEARNER))["learner_insights"]}
    assert found["sleep"]["status"] == "not_available"
    assert found["sleep"]["params"]["enabled_by"] == "day_report.sleep_minutes"
    assert not any(row["is_shown"] for row in found.values())


async def test_a_planted_time_of_day_is_shown_and_a_second_night_changes_nothing(database: Database):
    await exam_catalogue(database)
    await enrol(database)
    events = []
    for day in range(100):
        for hour, rights in ((8, 9), (20, 3)):
            at = START.replace(hour=hour) + timedelta(days=day - 60)
            events += [
                answer(
                    at + timedelta(minutes=n), len(events) + n, f"q{(n + day) % 12}", right=(7 * n + day) % 10 < rights
                )
                for n in range(10)
            ]
    await send(database, events)
    as_of = datetime(2026, 10, 13, 4, tzinfo=UTC)
    await night(database, [LEARNER], as_of, [])
    found = await derived(database, TABLES, LEARNER)
    best = next(row for row in found["learner_insights"] if row["insight"] == "best_time_of_day")
    assert best["is_shown"]
    assert best["status"] == "ok"
    assert best["low"] > 0 or best["high"] < 0
    assert best["n"] > 1000
    assert "associated with" in best["params"]["text"]
    async with database.write() as s:
        await refresh(s, Moments([LEARNER], [as_of]))
    assert await derived(database, TABLES, LEARNER) == found


async def test_reported_sleep_counts_with_consent_and_no_longer_once_it_is_withdrawn(web: Web):
    """The withdrawal marks the learner, so that the next night says what is left."""
    database = web.platform.db
    await exam_catalogue(database)
    given = {"purpose": "wellbeing", "given": True}
    answers = [await web.client.put("/api/me/consent", json=given, headers=web.auth())]
    start = recently(5)
    reports = [
        event(start + timedelta(days=day), 900 + day, "day_report", {"sleep_minutes": 450 + day}) for day in range(4)
    ]
    await send(database, [*history(4, start=start), *reports], web.learner)
    moments = Moments([web.learner], [recently(0)])
    async with database.read() as s:
        before = (await gathered(s, moments, [start.date()]))[web.learner]
    assert (await verify_now(database)).report.equal
    waiting = Making(analytics()).waiting
    async with database.read(primary=True) as s:
        assert not await waiting(s, [web.learner])
    assert sorted(before.frame.slept.values()) == [450, 451, 452, 453]
    answers.append(await web.client.put("/api/me/consent", json=given | {"given": False}, headers=web.auth()))
    assert [answer.status_code for answer in answers] == [200, 200]
    async with database.read() as s:
        after = (await gathered(s, moments, [start.date()]))[web.learner]
        assert await waiting(s, [web.learner]) == {web.learner}, "what rested on it is made again"
    assert after.frame.slept == {}
