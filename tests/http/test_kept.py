"""The short way of a kept answer: the same answer as the long way, and never where the long way would refuse."""

import uuid
from datetime import timedelta

import pytest
from tests.support.web import Web, serving, token

from osler import clock
from osler.http import answers
from osler.http.policy import Role
from osler.observe import metrics
from osler.settings import Settings

pytestmark = pytest.mark.integration

PATH = "/api/analytics/mastery"


async def kept(web: Web, path: str = PATH) -> dict[str, str]:
    """The answer to the path is kept and its short way known; headers of a token that is remembered."""
    await web.until_it_hears()
    headers = web.auth()
    for result in ("miss", "hit"):
        assert (await web.client.get(path, headers=headers)).headers["x-cache"] == result
    return headers


def no_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on only the short way is left."""

    async def closed(*_: object) -> None:
        pytest.fail("the long way was taken")

    monkeypatch.setattr(answers.Answers, "serve", closed)


def counted() -> float:
    return metrics.REGISTRY.get_sample_value("osler_http_requests_total", {"route": PATH, "status_class": "2xx"}) or 0


async def test_the_second_answer_needs_no_route_and_is_the_same(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = await kept(web)
    long = await web.client.get(f"{PATH}?nothing=1", headers=headers)
    assert long.headers["x-cache"] == "hit", "another query of the same kept answer: still the long way"
    no_routes(monkeypatch)
    before = counted()
    short = await web.client.get(PATH, headers=headers)
    assert (short.status_code, short.content) == (200, long.content)
    assert {**short.headers, "x-request-id": ""} == {**long.headers, "x-request-id": ""}
    assert counted() == before + 1, "counted under its route"
    again = await web.client.get(PATH, headers={**headers, "If-None-Match": short.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_who_asks_the_same_path_gets_their_own(web: Web) -> None:
    await kept(web)
    other = web.auth(uuid.uuid4())
    assert [(await web.client.get(PATH, headers=other)).headers["x-cache"] for _ in range(2)] == ["miss", "hit"]


async def test_a_change_is_seen_on_the_short_way(web: Web) -> None:
    headers = await kept(web)
    await web.platform.answers.cache.bump(web.learner)
    assert (await web.client.get(PATH, headers=headers)).headers["x-cache"] == "miss"


async def test_where_a_learner_is_named_there_is_no_short_way(web: Web) -> None:
    path = f"{PATH}?user_id={web.learner}"
    await kept(web, path)
    other = web.auth(uuid.uuid4())
    await web.client.get(PATH, headers=other)
    await web.client.get(PATH, headers=other)
    assert (await web.client.get(path, headers=other)).status_code == 404


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer x.y.z", "Basic abc"])
async def test_without_a_verified_token_there_is_no_short_way(web: Web, sent: str) -> None:
    await kept(web)
    answer = await web.client.get(PATH, headers={"Authorization": sent} if sent else {})
    assert answer.status_code == 401


async def test_a_role_that_does_not_hold_is_refused(web: Web) -> None:
    await kept(web)
    sender = {"Authorization": f"Bearer {token(web.settings, web.learner, Role.SERVICE_INGEST)}"}
    assert [(await web.client.get(PATH, headers=sender)).status_code for _ in range(2)] == [403, 403]


async def test_a_token_past_its_end_is_verified_anew(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = (await kept(web))["Authorization"].removeprefix("Bearer ")
    assert web.platform.verifier.remembered(sent) is not None
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert web.platform.verifier.remembered(sent) is None


async def test_the_rate_holds_on_the_short_way(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"rate_per_minute": 6})) as web:
        headers = await kept(web)
        found = [(await web.client.get(PATH, headers=headers)).status_code for _ in range(8)]
    assert found == [200] * 4 + [429] * 4
