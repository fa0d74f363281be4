"""The example host against a real Osler: what a learner does there is graded here and moves the mastery."""

import asyncio
from pathlib import Path

import httpx
import pytest
from examples.quiz_host.app import create_app
from tests.support.learning import small_catalogue
from tests.support.real_osler import on_a_port
from tests.support.tracking import KEY, options
from tests.support.web import Web, token

from osler.http.policy import Role
from osler.tracking import HttpSink, Osler

pytestmark = [pytest.mark.integration, pytest.mark.acceptance]


def _client_of(web: Web, folder: Path) -> Osler:
    service = token(web.settings, web.learner, Role.SERVICE_INGEST)
    return Osler(HttpSink(str(web.client.base_url), service), KEY, options(folder, total_seconds=5.0))


async def _soon(find, seconds: float = 15.0):
    """What is found, as soon as it is there."""
    for _ in range(round(seconds / 0.1)):
        found = await find()
        if found:
            return found
        await asyncio.sleep(0.1)
    return None


async def test_an_answer_in_the_quiz_is_graded_and_changes_the_mastery(settings, admin, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with on_a_port(settings) as web:
        await small_catalogue(web.platform.db)
        osler = _client_of(web, tmp_path)
        quiz = create_app(osler)
        learner = osler.pseudonym("student-7")
        browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(quiz), base_url="http://quiz.test", cookies={"login": "student-7"}
        )
        async with browser:
            assert (await browser.get("/questions/q0")).status_code == 200
            for qid, key in (("q0", "A"), ("q3", "B")):
                given = await browser.post(f"/questions/{qid}/answer", json={"key": key, "seconds": 12.5})
                assert given.json() == {"right": key == "A"}
            assert (await browser.get("/articles/m0")).status_code == 200
            note = await browser.post("/articles/m0/notes", json={"text": "words that stay in the quiz"})
            assert note.json() == {"kept": True}
            assert (await browser.get("/questions/none")).status_code == 404
        assert await osler.flush(10), osler.counts
        osler.close()
        assert (osler.refused, osler.counts.lost, osler.counts.dropped) == ({}, {}, {})

        rows = await admin.fetch("select event_type, data::text from study_events where user_id = $1", learner)
        types = sorted(row["event_type"] for row in rows)
        assert types == sorted(
            ["api_request"] * 6 + ["question_view", "question_submit", "question_submit", "material_open", "note_taken"]
        )
        assert not any("student-7" in row["data"] or "words" in row["data"] for row in rows)
        graded = await admin.fetch(
            "select question_id, is_correct, time_to_answer_seconds from question_attempts where user_id = $1", learner
        )
        assert {(r[0], r[1], float(r[2])) for r in graded} == {("q0", True, 12.5), ("q3", False, 12.5)}

        async def mastery():
            query = "select questions_attempted, questions_correct, mastery from topic_mastery where user_id = $1"
            found = await admin.fetch(query, learner)
            return found if found and found[0][0] == 2 else None

        row = await _soon(mastery)
        assert row, "the answers never reached the mastery"
        assert (row[0]["questions_attempted"], row[0]["questions_correct"]) == (2, 1)
        answer = await web.client.get("/api/analytics/mastery/cardio", headers=web.auth(learner))
        assert answer.status_code == 200
        assert answer.json()["topic"]["questions_attempted"] == 2
