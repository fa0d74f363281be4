"""P12, P13, P24: agents in a closed list, looks at others on record, consent withdrawn."""

from __future__ import annotations

import itertools
import uuid

import pytest
from tests.support.agents import agents
from tests.support.learning import history, send, small_catalogue
from tests.support.matrix import count
from tests.support.web import Web, serving
from tests.support.wire_events import batch, event

from osler.analytics.registry import analytics
from osler.api.app import api_routes, policy_of
from osler.domain.privacy import USER_AGENTS, sanitize_user_agent
from osler.http.policy import OF_NOBODY, Action, Reach, Role, reach_of
from osler.live import draining
from osler.live.catch_up import Live
from osler.privacy.scan import scan
from osler.rollups.draining import drain
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]


def test_p12_a_thousand_agents_come_to_a_closed_list() -> None:
    tried = agents(count("P12", "agents"))
    assert len({agent for agent, _ in tried}) == len(tried) == 1_000
    assert len(USER_AGENTS) <= 40
    assert {name for _, name in tried} == USER_AGENTS, "each name of the list is come to"
    assert [(agent, sanitize_user_agent(agent)) for agent, _ in tried] == tried
    assert sum("@" in agent for agent, _ in tried) == 100, "an address inside changes nothing and is gone"


async def test_p13_every_allowed_look_at_another_person_is_on_record_each_time(settings: Settings, admin) -> None:
    plenty = {"rate_per_minute": 1_000_000, "rate_address_per_minute": 1_000_000}
    async with serving(settings.model_copy(update=plenty)) as web:
        await looks_at_another(web, admin)


async def looks_at_another(web: Web, admin) -> None:
    subject, looker = uuid.uuid4(), uuid.uuid4()
    await small_catalogue(web.platform.db)
    await send(web.platform.db, history(8), subject)
    looked = 0
    for route, role in itertools.product(api_routes(web.app), Role):
        policy = policy_of(route)
        if "GET" not in (route.methods or ()) or policy in {None, "public"} or Action(str(policy)) in OF_NOBODY:
            continue
        if reach_of([role], Action(str(policy))) is not Reach.ALL:
            continue
        path = route.path.replace("{topic}", "cardio").replace("{topic_id}", "cardio")
        for _ in range(2):  # the second may come from a cache
            before = await admin.fetchval("select count(*) from access_audit where subject_id = $1", subject)
            answer = await web.client.get(
                path, params={"user_id": str(subject)}, headers=web.auth(looker, role)
            )  # fmt: skip
            after = await admin.fetchval("select count(*) from access_audit where subject_id = $1", subject)
            if answer.status_code == 200:
                assert after > before, f"{route.path} was read as {role.value} without a record"
                looked += 1
    assert looked >= 2, "unknown: nobody looked at another person"
    rows = await admin.fetch("select * from access_audit where subject_id = $1", subject)
    assert all(row["actor_id"] == looker and row["role"] and row["purpose"] and row["action"] for row in rows)


async def test_p24_after_consent_is_withdrawn_nothing_new_is_derived_and_the_rest_stays(web: Web, admin) -> None:
    db, live = web.platform.db, Live(web.platform.db, analytics())
    await small_catalogue(db)
    await web.get("/api/me")
    await send(db, history(8), web.learner)

    async def work_off() -> dict[str, int]:
        await draining.drain(db, live)
        await drain(db, analytics())
        hits = (await scan(admin, web.learner)).hits
        return {table: n for table, n in hits.items() if table != "learner_states"}

    async def submit() -> list[str]:
        answer = await web.client.post(
            "/api/events/batch", content=batch([event(data={"question_id": "q0"})]),
            headers={**web.auth(), "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return [result.get("code") or result["status"] for result in answer.json()["results"]]

    before = await work_off()
    said = await web.client.put("/api/me/consent", json={"purpose": "analytics", "given": False}, headers=web.auth())
    assert said.json()["consents"]["analytics"] is False
    assert await submit() == ["subject.consent_withdrawn"]
    assert await work_off() == before, "nothing new, and what is there stays until it is asked to be erased"
    await web.client.put("/api/me/consent", json={"purpose": "analytics", "given": True}, headers=web.auth())
    assert await submit() == ["accepted"]
    assert (await work_off())["study_events"] == before["study_events"] + 1
