"""An application keeps its bank of questions and materials in step, and the answers there are follow it."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, START, answer, read_to, send, small_catalogue
from tests.support.web import Web, token

from osler.analytics.registry import analytics
from osler.catalog.tables import questions
from osler.eventlog import marks
from osler.http.policy import Role
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration

ADMIN = uuid.uuid4()


async def put(web: Web, what: str, *rows: dict[str, object], status: int = 200) -> dict[str, int]:
    found = await web.client.post(f"/api/{what}", json={what: rows}, headers=web.auth(ADMIN, Role.PROGRAM_ADMIN))
    assert found.status_code == status, found.text
    return found.json()


def question(question_id: str = "own-1", key: str | None = "A", *topics: str) -> dict[str, object]:
    return {"question_id": question_id, "topic_ids": topics or ("renal",), "key": [key] if key else None}


async def submit(web: Web, question_id: str, key: str) -> dict[str, Any]:
    body = {"answer": key, "time_spent": 45}
    found = await web.client.post(f"/api/questions/{question_id}/submit", json=body, headers=web.auth())
    return {"status_code": found.status_code, **found.json()}


async def counted(web: Web, topic: str, user_id: uuid.UUID) -> list[tuple[int, int]]:
    """Answers and right ones of a topic, after a fold: a submit waits for its own half a second at most."""
    await Live(web.platform.db, analytics()).catch_up(user_id)
    query = "select questions_attempted, questions_correct from topic_mastery where user_id = $1 and topic_id = $2"
    async with web.platform.db.read(primary=True) as s:
        assert await marks.take(s, user_id, marks.LIVE) == []
        return [tuple(row) for row in await s.driver().fetch(query, user_id, topic)]


async def test_a_question_of_an_own_bank_can_be_answered_and_is_graded(web: Web) -> None:
    await small_catalogue(web.platform.db)
    assert (await submit(web, "own-1", "A"))["status_code"] == 404
    assert await put(web, "questions", question()) == {"new": 1, "changed": 0, "same": 0, "regraded": 0}
    assert (await submit(web, "own-1", "A"))["is_correct"] is True
    assert await counted(web, "renal", web.learner) == [(1, 1)]
    assert await put(web, "questions", question()) == {"new": 0, "changed": 0, "same": 1, "regraded": 0}


async def test_a_corrected_key_grades_anew_what_was_answered(web: Web) -> None:
    await small_catalogue(web.platform.db)
    await put(web, "questions", question())
    assert (await submit(web, "own-1", "A"))["is_correct"] is True
    assert await put(web, "questions", question(key="B")) == {"new": 0, "changed": 1, "same": 0, "regraded": 1}
    assert (await submit(web, "own-1", "B"))["is_correct"] is True
    assert await counted(web, "renal", web.learner) == [(2, 1)]
    async with web.platform.db.read() as s:
        assert await s.scalar(sa.select(questions.c.key_version).where(questions.c.question_id == "own-1")) == 2


async def test_what_was_answered_and_read_before_the_bank_knew_it_counts_from_then_on(web: Web) -> None:
    db = web.platform.db
    await small_catalogue(db)
    await send(db, [answer(START, 0, "late", right=True), read_to(START, 1, "late-m", 1.0)])
    assert await counted(web, "neuro", LEARNER) == []
    written = await put(web, "questions", question("late", "A", "neuro"))
    assert (written["new"], written["regraded"]) == (1, 1)
    material = {"material_id": "late-m", "kind": "text", "topic_ids": ["neuro"]}
    assert await put(web, "materials", material) == {"new": 1, "changed": 0, "same": 0}
    assert await put(web, "materials", material) == {"new": 0, "changed": 0, "same": 1}
    assert await counted(web, "neuro", LEARNER) == [(1, 1)]


async def test_imported_answers_older_than_the_retention_are_graded_too(web: Web) -> None:
    db = web.platform.db
    await small_catalogue(db)
    events = [answer(START - timedelta(days=5 * 365), 0, "old", right=True)]
    assert (await ingest_events(db, events, LEARNER, import_window=True)).counts["accepted"] == 1
    assert (await put(web, "questions", question("old")))["regraded"] == 1


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({**question(), "topic_ids": ["nowhere"]}, "catalogue.no_topic"),
        ({**question(), "question_id": "ann@example.org"}, None),
        ({**question(), "question_id": "4111111111111111"}, None),
        ({**question(), "stem": "What is the cause?"}, None),
        ({**question(), "key": ["no such form!"]}, None),
    ],
)
async def test_what_does_not_fit_is_refused_whole(web: Web, row: dict[str, object], code: str | None) -> None:
    await small_catalogue(web.platform.db)
    refused = await put(web, "questions", question("good"), row, status=422)
    assert code is None or refused["code"] == code
    assert (await submit(web, "good", "A"))["status_code"] == 404


async def test_an_id_twice_is_refused(web: Web) -> None:
    await small_catalogue(web.platform.db)
    assert (await put(web, "questions", question(), question(key="B"), status=422))["code"] == "catalogue.id_twice"


async def test_a_service_needs_the_scope_and_a_learner_may_not(web: Web) -> None:
    await small_catalogue(web.platform.db)
    body = {"questions": [question()]}
    for role, scopes, status in (
        (Role.LEARNER, ["catalog:write"], 403),
        (Role.SERVICE_INGEST, ["events:write:any"], 403),
        (Role.SERVICE_INGEST, ["catalog:write"], 200),
    ):
        headers = {"Authorization": f"Bearer {token(web.settings, ADMIN, role, scopes=scopes)}"}
        assert (await web.client.post("/api/questions", json=body, headers=headers)).status_code == status
