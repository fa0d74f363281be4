"""The straight way of a batch says what the long way says: who may, what is wrong, and under which route it counts."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.support.wire_events import batch, event, learner

from osler import clock
from osler.api.app import api_routes
from osler.domain.identity import new_event_id
from osler.http import straight
from osler.http.policy import Role
from osler.observe import metrics

pytestmark = pytest.mark.integration
PATH = "/api/events/batch"
JSON = {"content-type": "application/json"}


@pytest.fixture
def gone_straight(monkeypatch):
    """How many requests went the straight way."""
    found = []
    plain = straight.platform_of

    def counted(request):
        found.append(request.scope["path"])
        return plain(request)

    monkeypatch.setattr(straight, "platform_of", counted)
    return found


def said(answer):
    """An answer without what differs between any two requests."""
    body = answer.json()
    for name in ("request_id", "received_at", "clock_skew_ms"):
        body.pop(name, None)
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    return answer.status_code, headers, body


async def both(web, content, headers):
    """The same request on both ways; an empty query makes it the long one."""
    return [said(await web.client.post(path, content=content, headers=headers)) for path in (PATH, PATH + "?atomic=0")]


async def test_both_ways_refuse_alike(web, gone_straight):
    good, bad = batch([event()]), batch([{**event(), "type": "nothing"}])
    own, reader = web.auth(learner()), web.auth(learner(), Role.AUDITOR)
    asked = [
        (good, JSON), (good, {**JSON, "authorization": "Bearer x.y.z"}), (good, {**JSON, "authorization": "Basic x"}),
        (good, {**JSON, **reader}), (b"{", {**JSON, **own}), (b"", {**JSON, **own}), (bad, {**JSON, **own}),
        (good, {**JSON, **own, "content-encoding": "br"}), (good, {**own, "content-type": "text/plain"}),
        (b"\x1f\x8b", {**JSON, **own, "content-encoding": "gzip"}), (b'{"sent_at":"x","events":[]}', {**JSON, **own}),
        (b" " * 5_300_000, {**JSON, **own}),
    ]  # fmt: skip
    statuses = []
    for content, headers in asked:
        short, long = await both(web, content, headers)
        assert short == long
        statuses.append(short[0])
    assert statuses == [401, 401, 401, 403, 400, 400, 200, 415, 415, 400, 400, 413]
    assert len(gone_straight) == 6, "unknown: what was asked did not go the straight way"


async def test_a_batch_counts_under_its_route_and_a_query_goes_the_long_way(web, gone_straight):
    def counted():
        return metrics.http_requests.labels(PATH, "2xx")._value.get()

    before, headers = counted(), {**JSON, **web.auth(learner())}
    assert (await web.client.post(PATH, content=batch([event()]), headers=headers)).status_code == 200
    assert (gone_straight, counted() - before) == ([PATH], 1)
    odd = await web.client.post(PATH + "?atomic=perhaps", content=batch([event()]), headers=headers)
    assert (odd.status_code, len(gone_straight)) == (422, 1)
    answer = await web.client.get(PATH, headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_an_answer_is_refused_and_taken_alike_on_both_ways(web, gone_straight):
    async with web.app.state.platform.db.write() as session:
        await session.execute(sa.text("insert into questions (question_id, key) values ('q-1', '{A}')"))
        await session.execute(sa.text("insert into catalog_versions (what) values ('keys')"))
    own = {**JSON, **web.auth(learner())}
    stated = {"answer": "A", "time_spent": 9, "event_id": str(new_event_id(int(clock.now().timestamp() * 1000)))}
    asked = [
        ("q-1", stated, own), ("q-1", stated, own), ("q-1", {**stated, "answer": "B"}, own), ("q-1", stated, JSON),
        ("q-2", stated, own), ("q%202", stated, own), ("q-1", {**stated, "time_spent": -1}, own),
        ("x" * 65, stated, own),
    ]  # fmt: skip
    statuses = []
    for question, body, headers in asked:
        path = f"/api/questions/{question}/submit"
        answers = [said(await web.client.post(each, json=body, headers=headers)) for each in (path, path + "?long=1")]
        statuses.append([status for status, _, _ in answers])
        if question != "q-1" or body is not stated:
            assert answers[0] == answers[1]
    assert statuses == [[200] * 2, [200] * 2, [409] * 2, [401] * 2, [404] * 2, [404] * 2, [422] * 2, [404] * 2]
    assert set(gone_straight) == {"/api/questions/q-1/submit", "/api/questions/q-2/submit"}


async def test_what_is_marked_has_one_policy(web):
    app = web.app
    routes = [route for route in api_routes(app) if route.path in {PATH, "/api/health/live"}]
    for route in routes:
        straight.straight(route.endpoint)
    with pytest.raises(TypeError, match="no policy"):
        straight.Straight(app, [route for route in routes if route.path != PATH])
    assert straight.Straight(app, [route for route in routes if route.path == PATH])
