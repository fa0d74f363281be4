"""The mastery and retrieval pages over HTTP: what they say, and that it has the shape they declare."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.support.learning import START, answer, history, send, small_catalogue
from tests.support.web import Web

from osler.analytics.mastery.schemas import MasteryAnswer, TopicAnswer
from osler.analytics.registry import analytics
from osler.analytics.retrieval.schemas import CalendarAnswer, RetrievalAnswer, TopicRecallAnswer
from osler.catalog.tables import catalog_versions, topics
from osler.live.catch_up import Live
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration

ANALYTICS = "/api/analytics"


async def _studied(web: Web) -> None:
    await small_catalogue(web.platform.db)
    await send(web.platform.db, history(), web.learner)
    await Live(web.platform.db, analytics()).catch_up(web.learner)


def _holds(low: float | None, estimate: float | None, high: float | None) -> None:
    assert low is not None
    assert estimate is not None
    assert high is not None
    assert low <= estimate <= high


async def test_the_topics_page_says_what_is_known_with_interval_n_and_age(web: Web):
    await _studied(web)
    answer = await web.get(f"{ANALYTICS}/mastery")
    assert answer.status_code == 200, answer.text
    page = MasteryAnswer.model_validate(answer.json())
    assert [topic.topic_id for topic in page.topics] == ["cardio", "neuro", "renal"]
    assert page.finding.text == "1 of 3 topics mastered; 0 not seen."
    for topic in page.topics:
        _holds(topic.mastery_low, topic.mastery, topic.mastery_high)
        _holds(topic.retrieval_low, topic.retrieval_strength, topic.retrieval_high)
        assert topic.attempts > 5


async def test_an_answer_on_two_topics_is_one_answer(web: Web):
    await small_catalogue(web.platform.db)
    on_two = [answer(START + timedelta(days=n), n, "q5", right=n % 2 == 0, seconds=30.0) for n in range(6)]
    await send(web.platform.db, on_two, web.learner)
    await Live(web.platform.db, analytics()).catch_up(web.learner)
    page = (await web.get(f"{ANALYTICS}/mastery")).json()
    assert [topic["attempts"] for topic in page["topics"]] == [6, 6]
    first = (await web.get(f"{ANALYTICS}/dashboard")).json()
    assert (page["n"], first["n"], first["mastery"]["n"]) == (6, 6, 6)


async def test_an_answer_on_two_topics_of_a_group_counts_once_for_the_group(web: Web):
    database = web.platform.db
    await small_catalogue(database)
    async with database.write() as session:  # q5 is on both
        await session.execute(sa.insert(topics).values(topic_id="organs", name="Organs", level=0, axis="system"))
        await session.execute(
            sa.update(topics).where(topics.c.topic_id.in_(["cardio", "neuro"])).values(parent_id="organs", level=1)
        )
        await session.execute(sa.insert(catalog_versions).values(what="topics"))
    both = [answer(START + timedelta(days=n), n, "q5", right=n % 2 == 0) for n in range(6)]
    one = [answer(START + timedelta(days=n, hours=1), 10 + n, "q2", right=True) for n in range(4)]
    await send(database, [*both, *one], web.learner)
    assert (await verify_now(database)).report.equal
    page = (await web.get(f"{ANALYTICS}/mastery")).json()
    assert {topic["topic_id"]: topic["attempts"] for topic in page["topics"]} == {"cardio": 6, "neuro": 10}
    assert {group["topic_id"]: group["n"] for group in page["groups"]} == {"organs": 10, "renal": 0}


async def test_one_topic_carries_the_briefs_names_its_days_and_a_projection(web: Web):
    await _studied(web)
    answer = await web.get(f"{ANALYTICS}/mastery/cardio")
    assert answer.status_code == 200, answer.text
    page = TopicAnswer.model_validate(answer.json())
    assert page.topic is not None
    assert page.interval is not None
    assert page.components_present[:3] == ["first_attempt_accuracy", "overall_accuracy", "retrieval_strength"]
    assert len(page.series) >= 10
    assert page.projection is not None
    assert page.projection.unit == "hours"


async def test_what_is_due_agrees_with_the_calendar_and_the_curve(web: Web):
    await _studied(web)
    overview = RetrievalAnswer.model_validate((await web.get(f"{ANALYTICS}/retrieval")).json())
    calendar = CalendarAnswer.model_validate((await web.get(f"{ANALYTICS}/retrieval/calendar")).json())
    today = next(day for day in calendar.days if day.day == calendar.today)
    assert overview.due == today.due > 0
    curve = TopicRecallAnswer.model_validate((await web.get(f"{ANALYTICS}/retrieval/cardio")).json()).curve
    values = [point.retrievability for point in curve]
    assert values == sorted(values, reverse=True)
    assert all(point.low <= point.retrievability <= point.high for point in curve)


async def test_a_learner_without_events_is_told_what_to_do(web: Web):
    for path in ("mastery", "retrieval", "retrieval/calendar"):
        answer = await web.get(f"{ANALYTICS}/{path}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "first_use"
        assert answer.json()["n"] == 0


async def test_an_unknown_topic_is_not_found(web: Web):
    for page in ("mastery", "retrieval"):
        answer = await web.get(f"{ANALYTICS}/{page}/no.such-topic")
        assert answer.status_code == 404
        assert answer.json()["code"] == "topic.unknown"
