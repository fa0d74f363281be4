"""A06: what a client may not say about an event, however it says it."""

import uuid
from typing import Any

import pytest
from tests.support.web import Web
from tests.support.wire_events import batch, event

from osler.http.policy import Role

pytestmark = [pytest.mark.integration, pytest.mark.fault]

JSON = {"Content-Type": "application/json"}


async def sent(web: Web, *events: dict[str, object], headers: dict[str, str] | None = None) -> list[dict[str, object]]:
    answer = await web.client.post(
        "/api/events/batch", content=batch(list(events)), headers={**(headers or web.auth()), **JSON}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def test_a06_what_the_server_concludes_cannot_be_said(web: Web, admin) -> None:
    fields = ("received_at", "event_ts", "local_date", "effective_at", "content_hash", "nonce")
    claimed: list[dict[str, Any]] = [{field: "2020-01-01"} for field in fields]
    results = await sent(web, *(event(**claim) for claim in claimed), event())
    assert [result["status"] for result in results] == ["rejected"] * len(fields) + ["accepted"]
    assert {result["code"] for result in results[:-1]} == {"schema.unknown_field"}
    assert await admin.fetchval("select count(*) from study_events") == 1


async def test_a06_another_learner_cannot_be_named(web: Web, admin) -> None:
    other = uuid.uuid4()
    [result] = await sent(web, event(user_id=str(other)))
    assert (result["status"], result["code"]) == ("refused", "subject.forbidden")
    assert await admin.fetchval("select count(*) from study_events") == 0


@pytest.mark.parametrize("together", [1, 12])
async def test_a06_a_learner_names_nobody_not_even_themselves(web: Web, admin, together: int) -> None:
    results = await sent(web, *(event(user_id=str(web.learner)) for _ in range(together)))
    assert {(r["status"], r["code"], r["path"]) for r in results} == {("rejected", "type.forbidden", "/user_id")}
    assert await admin.fetchval("select count(*) from study_events") == 0


async def test_a06_types_of_the_server_are_forbidden(web: Web) -> None:
    [result] = await sent(web, event("question_regrade"))
    assert (result["status"], result["code"]) == ("rejected", "type.forbidden")


async def test_a_token_without_the_scope_sends_nothing(web: Web) -> None:
    from tests.support.web import token

    bare = {"Authorization": f"Bearer {token(web.settings, web.learner, Role.LEARNER, scopes=())}"}
    answer = await web.client.post("/api/events/batch", content=batch([event()]), headers={**bare, **JSON})
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope")


async def test_a_service_may_name_learners(web: Web, admin) -> None:
    service, learner = web.auth(uuid.uuid4(), Role.SERVICE_INGEST), uuid.uuid4()
    [result] = await sent(web, event(user_id=str(learner)), headers=service)
    assert result["status"] == "accepted", result
    assert await admin.fetchval("select user_id from study_events") == learner
