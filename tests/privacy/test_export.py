"""An export holds exactly what is stored, and another Osler answers `accepted` to it, this one `duplicate`."""

import json

import pytest
from tests.support.learning import OTHER, history, send, small_catalogue
from tests.support.web import Web

from osler.analytics.registry import analytics
from osler.http.policy import Role
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration


async def test_the_set_exported_is_the_set_stored_and_a_resend_is_known(web: Web, admin) -> None:
    db = web.platform.db
    await small_catalogue(db)
    await web.get("/api/me")
    await send(db, history(10), web.learner)
    await send(db, history(3), OTHER)
    await Live(db, analytics()).catch_up(web.learner)
    answer = await web.get("/api/me/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    head, *lines = [json.loads(line) for line in answer.text.splitlines()]
    assert (head["export"], head["form"]) == ("osler", 1)
    events = [line for line in lines if "id" in line]
    stored = await admin.fetch("select event_id from study_events where user_id = $1", web.learner)
    assert {line["id"] for line in events} == {str(row[0]) for row in stored}
    assert len(events) == 70
    tables = {line["table"] for line in lines if "table" in line}
    assert {"users", "topic_mastery", "item_memory"} <= tables
    assert str(OTHER) not in answer.text
    again = [{name: value for name, value in line.items() if name != "stored"} for line in events]
    assert (await ingest_events(db, again, web.learner)).counts["duplicate"] == 70


async def test_a_privacy_officers_export_is_on_record(web: Web, admin) -> None:
    import uuid

    await web.get("/api/me")
    headers = {**web.auth(uuid.uuid4(), Role.PRIVACY_OFFICER), "Osler-Purpose": "export"}
    answer = await web.client.get("/api/me/export", params={"user_id": str(web.learner)}, headers=headers)
    assert answer.status_code == 200
    row = await admin.fetchrow("select action, purpose, subject_id, result from access_audit")
    assert tuple(row) == ("export:read", "export", web.learner, "allowed")


async def test_who_asks_to_be_erased_sends_nothing_more(web: Web) -> None:
    answer = await web.client.post("/api/me/erasure", headers=web.auth())
    assert (answer.status_code, answer.json()) == (202, {"state": "requested"})
    result = await ingest_events(web.platform.db, history(1), web.learner)
    assert result.counts["refused"] == 7
