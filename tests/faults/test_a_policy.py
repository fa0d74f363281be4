"""A04, A08, I11, P13: every route has a policy, every cell of it holds, and reads of others are on record."""

import itertools
import statistics
import time
import uuid
from datetime import date

import httpx
import pytest
import sqlalchemy as sa
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from tests.support.matrix import count
from tests.support.web import Web, serving

from osler.api.app import api_routes, create_app, policy_of, refuse_undecided
from osler.errors import Misconfigured
from osler.http.local_issuer import default_scopes
from osler.http.policy import OF_NOBODY, POLICY, Action, Reach, Role, has_scope, reach_of
from osler.http.scope import PUBLIC, require
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

ROUTES_WITHOUT_POLICY: list[str] = []


def test_a08_every_route_declares_exactly_one_policy(settings: Settings) -> None:
    app = create_app(settings)
    listed = {f"{sorted(route.methods or ())} {route.path}": policy_of(route) for route in api_routes(app)}
    assert len(listed) >= 9
    assert [route for route, policy in listed.items() if policy is None] == ROUTES_WITHOUT_POLICY
    public = {route.path for route in api_routes(app) if policy_of(route) == "public"}
    assert public == {"/api/health/live", "/api/health/ready", "/api/me/export/{link}"}


def test_a08_an_application_with_an_undecided_route_does_not_start() -> None:
    app = FastAPI()
    app.get("/api/decided", dependencies=[PUBLIC])(lambda: None)
    refuse_undecided(app)
    app.get("/api/forgotten")(lambda: None)
    with pytest.raises(Misconfigured, match="/api/forgotten"):
        refuse_undecided(app)
    twice = [Depends(require(Action.READ_SELF)), Depends(require(Action.EXPORT))]
    app = FastAPI()
    app.get("/api/both", dependencies=twice)(lambda: None)
    with pytest.raises(Misconfigured, match="/api/both"):
        refuse_undecided(app)


def test_every_action_has_a_row_and_nobody_is_everything() -> None:
    assert set(POLICY) == set(Action)
    for role in Role:
        assert any(reach_of([role], action) is Reach.NONE for action in Action), role
    assert reach_of([Role.ANALYST], Action.READ_ANALYTICS) is Reach.NONE
    assert reach_of([Role.AUDITOR], Action.READ_ANALYTICS) is Reach.NONE
    assert reach_of([], Action.READ_CATALOG) is Reach.NONE


def test_a_scope_contains_what_begins_with_it() -> None:
    assert has_scope(["events:write:any"], Action.WRITE_EVENTS)
    assert not has_scope(["events:writer"], Action.WRITE_EVENTS)
    assert not has_scope([], Action.WRITE_EVENTS)
    assert has_scope([], Action.READ_ANALYTICS)


async def people(web: Web) -> dict[str, uuid.UUID]:
    """A caller, a learner of the caller's class, a learner of another, and nobody."""
    names = ("caller", "classmate", "stranger")
    found = {name: uuid.uuid4() for name in names}
    async with web.platform.db.write() as s:
        driver = s.driver()
        for user_id in found.values():
            await driver.execute("insert into users (user_id) values ($1)", user_id)
        await driver.execute("insert into cohorts (cohort_id, name) values ('x', 'X'), ('y', 'Y')")
        for user_id, cohort, role in (
            (found["caller"], "x", "educator"),
            (found["classmate"], "x", "learner"),
            (found["stranger"], "y", "learner"),
        ):
            await driver.execute(
                "insert into cohort_members (cohort_id, user_id, role, since_on) values ($1, $2, $3, $4)",
                cohort, user_id, role, date(2026, 1, 1),
            )  # fmt: skip
    return {**found, "nobody": uuid.uuid4()}


def expected(role: Role, action: Action, whose: str) -> set[int]:
    reach = reach_of([role], action)
    if reach is Reach.NONE or not has_scope(default_scopes([role]), action):
        return {403}
    if action in OF_NOBODY:
        return set()
    allowed = {
        "caller": True,
        "classmate": reach >= Reach.COHORT,
        "stranger": reach is Reach.ALL,
        "nobody": False,
    }[whose]
    return set() if allowed else {404}


def unhurried(settings: Settings) -> Settings:
    """Where one caller asks for many things within a minute and the rate is not what is tried."""
    return settings.model_copy(update={"rate_per_minute": 1_000_000, "rate_address_per_minute": 1_000_000})


async def test_i11_every_cell_of_route_role_and_ownership_equals_the_table(settings: Settings) -> None:
    async with serving(unhurried(settings)) as web:
        await every_cell(web)


async def every_cell(web: Web) -> None:
    ids = await people(web)
    checked = 0
    for route, role in itertools.product(api_routes(web.app), Role):
        policy = policy_of(route)
        if policy in {None, "public"}:
            continue
        for whose, user_id in ids.items():
            answer = await ask(web, route, role, ids["caller"], user_id)
            want = expected(role, Action(policy), whose)
            if want:
                assert answer.status_code in want, (route.path, role, whose, answer.text)
            else:
                assert answer.status_code not in {401, 403, 500}, (route.path, role, whose, answer.text)
                if answer.headers.get("content-type") == "application/problem+json":
                    assert answer.json()["code"] != "not_found" or "{" in route.path, (route.path, role, whose)
            checked += 1
    assert checked >= len(Role) * 4 * 7


async def ask(web: Web, route: APIRoute, role: Role, caller: uuid.UUID, whose: uuid.UUID) -> httpx.Response:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "some-id")
    method = sorted(route.methods or ())[0]
    # A body that no route takes: policy is decided before the body is looked at in depth, 422 and 400 mean "let in".
    body = {"?": 1} if method in {"POST", "PUT", "PATCH"} else None
    return await web.client.request(
        method, path, params={"user_id": str(whose)}, headers=web.auth(caller, role), json=body
    )


async def test_a04_anothers_data_look_like_nothing_in_words_and_in_time(settings: Settings) -> None:
    async with serving(unhurried(settings)) as web:
        await strangers_and_nobody(web)


async def strangers_and_nobody(web: Web) -> None:
    ids = await people(web)
    headers = web.auth(ids["classmate"])
    path = "/api/me/accesses"
    took: dict[str, list[float]] = {"stranger": [], "nobody": []}
    bodies = set()
    for _ in range(count("A04", "tries")):
        for whose, series in took.items():
            began = time.perf_counter()
            answer = await web.client.get(path, params={"user_id": str(ids[whose])}, headers=headers)
            series.append(time.perf_counter() - began)
            assert answer.status_code == 404
            bodies.add(tuple(sorted((k, v) for k, v in answer.json().items() if k != "request_id")))
    assert len(bodies) == 1
    apart = abs(statistics.median(took["stranger"]) - statistics.median(took["nobody"]))
    assert apart < 0.005
    garbled = await web.client.get(path, params={"user_id": "not-a-uuid"}, headers=headers)
    assert garbled.status_code == 404


async def test_a04_on_every_route_a_stranger_and_nobody_get_the_same_answer(settings: Settings) -> None:
    compared = 0
    async with serving(unhurried(settings)) as web:
        ids = await people(web)
        for route, role in itertools.product(api_routes(web.app), (Role.LEARNER, Role.EDUCATOR)):
            policy = policy_of(route)
            if policy in {None, "public"} or Action(policy) in OF_NOBODY:
                continue
            answers = [await ask(web, route, role, ids["caller"], ids[whose]) for whose in ("stranger", "nobody")]
            told = [(a.status_code, {**a.json(), "request_id": ""} if a.status_code == 404 else None) for a in answers]
            assert told[0] == told[1], (route.path, role)
            compared += answers[0].status_code == 404
    assert compared >= 8


async def test_a07_an_educator_who_left_sees_nothing_at_once(web: Web) -> None:
    ids = await people(web)

    async def look() -> int:
        answer = await web.client.get(
            "/api/me/accesses", params={"user_id": str(ids["classmate"])}, headers=web.auth(ids["caller"], Role.AUDITOR)
        )
        return answer.status_code

    assert await look() == 200
    scope = web.app.state.platform
    assert scope is not None
    # the cohort rule itself, through an action that educators have
    from osler.http.scope import Scope, _reaches

    principal = await web.platform.verifier.verify(
        web.auth(ids["caller"], Role.EDUCATOR)["Authorization"].removeprefix("Bearer ")
    )
    aimed = Scope(principal, ids["classmate"], Action.READ_ANALYTICS, Reach.COHORT, web.platform.db)
    assert await _reaches(aimed)
    async with web.platform.db.write() as s:
        await s.driver().execute(
            "update cohort_members set until_on = current_date where user_id = $1 and role = 'educator'", ids["caller"]
        )
    assert not await _reaches(aimed)


async def test_p13_reads_of_another_person_are_on_record_denied_ones_too(web: Web, admin) -> None:
    ids = await people(web)
    auditor = web.auth(ids["caller"], Role.AUDITOR)
    for whose in ("classmate", "nobody"):
        await web.client.get(
            "/api/me/accesses", params={"user_id": str(ids[whose])}, headers={**auditor, "Osler-Purpose": "complaint"}
        )
    await web.client.get(
        "/api/me/accesses", params={"user_id": str(ids["stranger"])}, headers=web.auth(ids["classmate"])
    )
    await web.client.get("/api/me", headers=web.auth(ids["classmate"]))
    rows = await admin.fetch("select * from access_audit order by audit_id")
    seen = [(r["actor_id"], r["role"], r["purpose"], r["subject_id"], r["fields"], r["result"]) for r in rows]
    assert seen == [
        (ids["caller"], "auditor", "complaint", ids["classmate"], ["accesses"], "allowed"),
        (ids["caller"], "auditor", "complaint", ids["nobody"], ["accesses"], "denied"),
        (ids["classmate"], "learner", "unstated", ids["stranger"], ["accesses"], "denied"),
    ]
    assert all(len(r["request_id"]) == 32 for r in rows)
    mine = await web.client.get("/api/me/accesses", headers=web.auth(ids["classmate"]))
    assert [(a["role"], a["purpose"], a["result"]) for a in mine.json()["accesses"]] == [
        ("auditor", "complaint", "allowed")
    ]


async def test_p13_a_read_that_cannot_be_audited_fails_but_never_ones_own(web: Web, admin) -> None:
    ids = await people(web)
    await admin.execute("revoke insert on access_audit from osler_app")
    answer = await web.client.get(
        "/api/me/accesses", params={"user_id": str(ids["classmate"])}, headers=web.auth(ids["caller"], Role.AUDITOR)
    )
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert (await web.client.get("/api/me", headers=web.auth(ids["classmate"]))).status_code == 200


async def test_a_purpose_outside_the_list_is_refused(web: Web) -> None:
    ids = await people(web)
    headers = {**web.auth(ids["caller"], Role.AUDITOR), "Osler-Purpose": "curiosity"}
    answer = await web.client.get("/api/me/accesses", params={"user_id": str(ids["stranger"])}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "audit.purpose")


async def test_a_look_at_the_catalogue_is_not_on_record_as_a_look_at_a_person(web: Web) -> None:
    ids = await people(web)
    for path in ("/api/topics", "/api/events/limits"):
        answer = await web.client.get(f"{path}?user_id={ids['stranger']}", headers=web.auth(ids["caller"]))
        assert answer.status_code == 200
    async with web.platform.db.read() as s:
        assert await s.scalar(sa.text("select count(*) from access_audit")) == 0
