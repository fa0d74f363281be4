"""P12, P13, P24: agents in a closed list, looks at others on record, consent withdrawn."""

from __future__ import annotations

import itertools
import uuid

import pytest
from tests.support.learning import history, send, small_catalogue
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

SYSTEMS = {
    "Macintosh; Intel Mac OS X 10_{n}_7": "macOS", "Windows NT 10.0; Win64; x64; v{n}": "Windows",
    "X11; Linux x86_64; rv:{n}.0": "Linux", "Linux; Android {n}; Pixel {n}": "Android",
    "iPhone; CPU iPhone OS {n}_5 like Mac OS X": "iOS", "X11; CrOS x86_64 14541.{n}.0": "ChromeOS",
    "compatible; CanaryBot/{n}": "Other",
}  # fmt: skip
BROWSERS = (
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0 Safari/537.36", "Gecko/20100101 Firefox/{n}.0",
    "AppleWebKit/605.1 (KHTML, like Gecko) Version/{n} Safari/605",
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0 Safari/537.36 Edg/{n}.0", "canary/{n}",
)  # fmt: skip


def agents() -> list[str]:
    """A thousand agents in the forms that browsers send, the last with an e-mail address inside."""
    made = [
        f"Mozilla/5.0 ({system.format(n=n)}) {browser.format(n=n)}"
        for n, system, browser in itertools.product(range(10, 40), SYSTEMS, BROWSERS)
    ]
    return [*made[:999], made[0].replace("(", "(jane.canary@example.com; ")]


def test_p12_a_thousand_agents_come_to_a_closed_list() -> None:
    tried = agents()
    kept = [sanitize_user_agent(agent) for agent in tried]
    assert len(set(tried)) == 1_000
    assert set(kept) <= USER_AGENTS
    assert len(USER_AGENTS) <= 40
    assert kept[-1] == kept[0] != "Other", "an address inside changes nothing and is gone"
    for agent, name in zip(tried, kept, strict=True):
        system = next(known for form, known in SYSTEMS.items() if form[:9] in agent)
        assert name == "Other" or name.startswith(system), (agent, name)
    assert sum(name != "Other" for name in kept) > 500


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
