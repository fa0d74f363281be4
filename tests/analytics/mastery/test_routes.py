"""The mastery and retrieval pages over HTTP: what they say, and that it has the shape they declare."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.support.learning import START, TOPICS, answer, history, review, send, small_catalogue
from tests.support.web import Web

from osler.analytics.mastery.schemas import MasteryAnswer, TopicAnswer
from osler.analytics.registry import analytics
from osler.analytics.retrieval.schemas import CalendarAnswer, RetrievalAnswer, TopicRecallAnswer
from osler.catalog.tables import cards, catalog_versions, topics
from osler.forecasts.parameters import Fitted, store
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


async def test_before_any_fit_the_pages_say_which_models_forecast(web: Web):
    await _studied(web)
    mastery = MasteryAnswer.model_validate((await web.get(f"{ANALYTICS}/mastery")).json()).model_report
    recall = RetrievalAnswer.model_validate((await web.get(f"{ANALYTICS}/retrieval")).json()).model_report
    assert (mastery.source, mastery.version) == ("online", None)
    assert (recall.source, recall.version) == ("population", None)
    assert recall.next_day_reviews > 0


@pytest.mark.parametrize("served", [True, False])
async def test_the_page_says_what_the_model_that_serves_the_learner_was_worth(web: Web, served: bool):
    """A fit that came after the learner's fold does not serve them yet."""
    await _studied(web)
    figures = {
        "log_loss": 0.5, "adf_log_loss": 0.6, "ece": 0.01, "adf_ece": 0.02, "difference": -0.1,
        "difference_upper": -0.05, "held_back_learners": 40.0, "held_back_rows": 900.0,
    }  # fmt: skip
    async with web.platform.db.write() as session:
        made = Fitted("next-answer", {"accepted": True}, START, 150, 9_000, figures)
        version = await store(session, made, promote=True)
        parameters = Fitted("parameters", {"next_answer": version} if served else {}, START, 150, 9_000)
        await store(session, parameters, promote=True, version="parameters-1")
        await session.driver().execute("update learner_states set parameter_version = 'parameters-1'")
    report = MasteryAnswer.model_validate((await web.get(f"{ANALYTICS}/mastery")).json()).model_report
    assert (report.source, report.version) == (("blend", version) if served else ("online", None))
    assert report.log_loss == {"online": 0.6, "blend": 0.5}
    assert (report.learners, report.held_back_learners, report.trained_until) == (150, 40, START.date())


async def test_who_studies_cards_alone_is_told_what_these_cannot_show(web: Web):
    """Nothing is called mastered or weak by cards: without a word that would look like a page that is broken."""
    database = web.platform.db
    await small_catalogue(database)
    named = [
        {"user_id": web.learner, "card_id": f"c{n}", "source": "test", "source_ref": f"c{n}", "topic_ids": [topic]}
        for n, topic in enumerate(("cardio", "neuro"))
    ]
    async with database.write() as session:
        await session.execute(sa.insert(cards), named)
        await session.execute(sa.insert(catalog_versions).values(what="cards"))
    twice_a_day = [
        (START + timedelta(days=day, minutes=n), 10 * day + n, f"c{n}") for day in range(8) for n in range(2)
    ]
    await send(database, [review(*one, 3) for one in twice_a_day], web.learner)
    await Live(database, analytics()).catch_up(web.learner)
    page = MasteryAnswer.model_validate((await web.get(f"{ANALYTICS}/mastery")).json())
    assert [(topic.status, topic.attempts) for topic in page.topics] == [("provisional", 8)] * 2
    assert {topic.reason and topic.reason.split(":")[0] for topic in page.topics} == {
        "Rests on 8 card reviews and 0 answers"
    }
    assert page.finding.code == "mastery.cards_alone"
    assert page.n == len(twice_a_day)
    first = (await web.get(f"{ANALYTICS}/dashboard")).json()
    assert (first["n"], first["mastery"]["n"]) == (page.n, page.n)
    assert first["finding"]["code"] != "dashboard.first_use", "who has reviewed cards has begun"
    assert "five answers would tell" in page.finding.text
    one = TopicAnswer.model_validate((await web.get(f"{ANALYTICS}/mastery/cardio")).json())
    assert one.finding.code == "mastery.topic_cards"
    answers = [
        answer(START + timedelta(days=9, minutes=n), 200 + n, f"q{TOPICS.index('neuro') + 3 * (n % 3)}", right=True)
        for n in range(5)
    ]
    await send(database, answers, web.learner)
    await Live(database, analytics()).catch_up(web.learner)
    one = TopicAnswer.model_validate((await web.get(f"{ANALYTICS}/mastery/neuro")).json())
    assert one.topic is not None
    assert (one.topic.status, one.topic.reason, one.topic.questions_attempted) == ("ok", None, 5)


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
