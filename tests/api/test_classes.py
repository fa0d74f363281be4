"""A platform keeps its rosters in step: what it says of a class holds from the next request on, and is on record."""

from __future__ import annotations

import uuid

import pytest
from tests.support.web import Web, token

from osler.http.policy import Role

pytestmark = pytest.mark.integration
CLASS = "/api/classes/2026"


async def people(web: Web, n: int) -> list[str]:
    made = [uuid.uuid4() for _ in range(n)]
    for user_id in made:
        assert (await web.client.get("/api/me", headers=web.auth(user_id))).status_code == 200
    return [str(user_id) for user_id in made]


async def test_a07_an_educator_reaches_a_class_from_one_request_to_the_next_and_no_longer(web: Web) -> None:
    learner, teacher = await people(web, 2)
    admin = web.auth(uuid.uuid4(), Role.PROGRAM_ADMIN)

    async def looks() -> int:
        asking = web.auth(uuid.UUID(teacher), Role.EDUCATOR)
        return (await web.client.get("/api/analytics/mastery", params={"user_id": learner}, headers=asking)).status_code

    async def change(body: object) -> dict[str, int]:
        answer = await web.client.post(f"{CLASS}/members", json=body, headers=admin)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert await looks() == 404
    made = await web.client.put(CLASS, json={"name": "Class of 2026"}, headers=admin)
    assert made.json() == {"changed": True}
    assert (await change({"learners": [learner], "educators": [teacher]}))["added"] == 2
    assert (await change({"learners": [learner], "educators": [teacher]}))["same"] == 2
    assert await looks() == 200
    listed = (await web.client.get("/api/classes", headers=admin)).json()["classes"]
    assert listed == [{"cohort_id": "2026", "name": "Class of 2026", "exam_id": None, "learners": 1, "educators": 1}]
    assert (await web.client.get(f"{CLASS}/members", headers=admin)).json()["n"] == 2
    assert (await change({"leave": [teacher]}))["removed"] == 1
    assert await looks() == 404
    told = (await web.client.get("/api/me/accesses", headers=web.auth(uuid.UUID(learner)))).json()["accesses"]
    assert ("program_admin", "classes:write", ["class"]) in [(a["role"], a["action"], a["fields"]) for a in told]


async def test_a_service_needs_the_scope_and_nobody_else_may(web: Web) -> None:
    for role in set(Role) - {Role.PROGRAM_ADMIN}:
        assert (await web.client.get("/api/classes", headers=web.auth(uuid.uuid4(), role))).status_code == 403, role
    signed = token(web.settings, uuid.uuid4(), Role.SERVICE_INGEST, scopes=["classes:write"])
    answer = await web.client.get("/api/classes", headers={"Authorization": f"Bearer {signed}"})
    assert answer.json() == {"classes": [], "n": 0}


async def test_a_stranger_or_somebody_named_twice_changes_nothing(web: Web) -> None:
    (learner,) = await people(web, 1)
    admin = web.auth(uuid.uuid4(), Role.PROGRAM_ADMIN)
    await web.client.put(CLASS, json={}, headers=admin)
    for body, status, code in (
        ({"learners": [learner, str(uuid.uuid4())]}, 404, "class.stranger"),
        ({"learners": [learner], "leave": [learner]}, 422, "class.twice"),
    ):
        answer = await web.client.post(f"{CLASS}/members", json=body, headers=admin)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    unknown = await web.client.post("/api/classes/none/members", json={"learners": [learner]}, headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "class.unknown")
    assert (await web.client.get(f"{CLASS}/members", headers=admin)).json()["n"] == 0
