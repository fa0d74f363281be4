"""A class as published: gated, frozen, and never about one person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.learning import history, send
from tests.support.nightly import enrol, exam_catalogue, night, recently
from tests.support.web import Web

from osler.analytics.cohort.rollup import publish_week
from osler.analytics.cohort.schemas import CohortAnswer, LearnersAnswer
from osler.analytics.cohort.tables import cohort_stats
from osler.catalog.tables import cohort_members, cohorts
from osler.db.engine import Database
from osler.http.policy import Role

pytestmark = pytest.mark.integration

CLASS = "spring"
EDUCATOR = UUID(int=999)


async def a_class(database: Database, size: int, *, consenting: int | None = None) -> list[UUID]:
    """A class of learners with a fortnight of study; all or some have opted in."""
    await exam_catalogue(database)
    learners = [UUID(int=1000 + n) for n in range(size)]
    start = recently(14)
    for n, learner in enumerate(learners):
        await enrol(database, learner)
        events = history(14, start=start + timedelta(minutes=n))
        await send(database, events[: len(events) - 3 * n] if n < 20 else events, learner)
    await enrol(database, EDUCATOR, exam_on=None)
    members = [{"user_id": u, "role": "learner"} for u in learners] + [{"user_id": EDUCATOR, "role": "educator"}]
    async with database.write() as s:
        await s.execute(sa.insert(cohorts).values(cohort_id=CLASS, name="Spring"))
        await s.execute(
            sa.insert(cohort_members),
            [{**m, "cohort_id": CLASS, "since_on": date(2020, 1, 1)} for m in members],
        )
        agreed = learners[: size if consenting is None else consenting]
        await s.driver().execute(
            "update users set consents = jsonb_build_object('cohort', now()::text) where user_id = any($1::uuid[])",
            agreed,
        )
    days = [start.date() + timedelta(days=d) for d in range(15)]
    await night(database, learners, datetime.now(UTC), days)
    return learners


async def publish(database: Database) -> None:
    now = datetime.now(UTC)
    await publish_week(database, now.date(), now)


async def figures(database: Database) -> list[dict]:
    async with database.read() as s:
        return [dict(row) for row in await s.rows(sa.select(cohort_stats).order_by(*cohort_stats.primary_key.columns))]


async def test_a_class_of_twelve_is_published_in_steps_and_a_class_of_nine_is_silent(web: Web):
    db = web.platform.db
    learners = await a_class(db, 12)
    await publish(db)
    rows = await figures(db)
    struggle = [row for row in rows if row["measure"] == "struggle"]
    assert len(struggle) == 3
    for row in struggle:
        assert row["n"] == 10
        assert round(row["value"] * 20) == pytest.approx(row["value"] * 20)
    answer = await web.client.get("/api/analytics/cohort", headers=web.auth(learners[0]))
    body = answer.json()
    CohortAnswer.model_validate(body, strict=False)
    assert body["state"] == "ready"
    assert body["band"] is None, "under 20 learners there is no percentile"
    assert str(learners[1]) not in answer.text
    one = await web.client.get("/api/analytics/cohort/cardio", headers=web.auth(learners[0]))
    assert [topic["topic_id"] for topic in one.json()["topics"]] == ["cardio"]
    assert "struggle with Cardio" in one.json()["topics"][0]["finding"]["text"]
    unknown = await web.client.get("/api/analytics/cohort/nowhere", headers=web.auth(learners[0]))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "topic.unknown")


async def test_below_the_minimum_every_field_is_silent(web: Web):
    db = web.platform.db
    learners = await a_class(db, 12, consenting=9)
    await publish(db)
    for row in await figures(db):
        assert row["value"] is None
        assert row["n"] is None
        assert row["detail"] is None
        assert row["suppressed"] == "minimum"
    body = (await web.client.get("/api/analytics/cohort", headers=web.auth(learners[0]))).json()
    assert body["state"] == "too_little"
    other = (await web.client.get("/api/analytics/cohort", headers=web.auth(learners[11]))).json()
    assert other["state"] == "no_right", "who has not opted in sees nothing"
    assert other["topics"] == []


async def test_a_published_week_stays_as_it_is_when_somebody_leaves(database: Database):
    learners = await a_class(database, 12)
    await publish(database)
    before = await figures(database)
    async with database.write() as s:
        await s.execute(sa.delete(cohort_members).where(cohort_members.c.user_id == learners[0]))
    await publish(database)
    assert await figures(database) == before


async def test_an_educator_sees_their_own_learners_and_the_look_is_audited(web: Web):
    db = web.platform.db
    learners = await a_class(db, 10)
    seen = await web.client.get("/api/analytics/cohort/learners", headers=web.auth(EDUCATOR, Role.EDUCATOR))
    assert seen.status_code == 200, seen.text
    LearnersAnswer.model_validate(seen.json(), strict=False)
    assert {row["user_id"] for row in seen.json()["learners"]} == {str(u) for u in learners}
    assert all(row["active_days_28d"] > 0 for row in seen.json()["learners"]), "figures, not empty rows"
    assert seen.json()["as_of"] is not None
    stranger = await web.client.get("/api/analytics/cohort/learners", headers=web.auth(UUID(int=5), Role.EDUCATOR))
    assert stranger.json()["state"] == "no_right"
    assert stranger.json()["learners"] == []
    learner = await web.client.get("/api/analytics/cohort/learners", headers=web.auth(learners[0]))
    assert learner.json()["learners"] == []
    async with db.read() as s:
        audited = await s.scalar(
            sa.text("select count(distinct subject_id) from access_audit where actor_id = :u"), {"u": EDUCATOR}
        )
    assert audited == 10


async def test_an_analyst_sees_the_class_and_no_single_learner(web: Web):
    learners = await a_class(web.platform.db, 2)
    analyst = web.auth(UUID(int=7), Role.ANALYST)
    assert (await web.client.get("/api/analytics/cohort", headers=analyst)).status_code == 200
    denied = await web.client.get("/api/analytics/cohort/learners", headers=analyst)
    assert denied.status_code == 403
    assert str(learners[0]) not in denied.text
