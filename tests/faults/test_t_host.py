"""T08, T09, T10: the host's answers are the same with and without tracking, and nothing personal gets out of it."""

import asyncio
import base64
import time
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from fastapi import BackgroundTasks
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.support import tracking as t
from tests.support.asgi import Seen, ask
from tests.support.tracked_host import ROUTES, plain_host, subject_of, tracked_host
from tests.support.tracking import tracking, until

from osler.tracking import Osler, TrackingMiddleware

pytestmark = pytest.mark.fault

CANARIES = {
    "e-mail": "jane.canary@hospital.example", "token": "eyJhbGciOiJFUzI1NiJ9canary", "query": "canary-in-the-query",
    "body": "canary in the body", "cookie": "canary-cookie", "referrer": "canary.referrer.example",
    "agent": "canary-agent/1.0", "address": "203.0.113.77", "phone": "0176-5550199", "long": "c" * 4096,
}  # fmt: skip


@contextmanager
def tracked(tmp_path, **more):
    with t.listening() as server, tracking(server.url, tmp_path, **more) as osler:
        yield server, osler


def _events(server: t.Server, event_type: str) -> list[dict]:
    return [event["data"] for event in server.stored.values() if event["type"] == event_type]


REQUESTS = [
    ("POST", "/quiz/q-1/answer", b'{"answer":"A"}'), ("POST", "/quiz/q-1/answer", b"{not json"),
    ("GET", "/nothing", b""),
    ("GET", "/raises", b""), ("GET", "/streams", b""), ("GET", "/breaks", b""), ("GET", "/later", b""),
    ("GET", "/status/204", b""), ("GET", "/status/418", b""), ("GET", "/nowhere", b""), ("DELETE", "/nothing", b""),
    ("HEAD", "/nothing", b""), ("GET", "/inner/articles/a/b", b""), ("GET", "/tenants/t1/deep/x", b""),
    ("PROPFIND", "/nothing", b""),
]  # fmt: skip


async def test_t08_status_headers_and_body_are_the_same_and_the_event_has_the_true_status(tmp_path) -> None:
    with tracked(tmp_path) as (server, osler):
        bare, host = plain_host(), tracked_host(osler)
        for method, path, body in REQUESTS:
            expected = await ask(bare, method, path, body, x_subject="s1")
            assert await ask(host, method, path, body, x_subject="s1") == expected, (method, path)
        assert host.state.background == bare.state.background == ["done"]
        assert await osler.flush(5)
        noted = [(d["method"], d["route"], d["status"]) for d in _events(server, "api_request")]
    assert sorted(noted) == sorted([
        ("POST", "/quiz/{qid}/answer", 200), ("POST", "/quiz/{qid}/answer", 500), ("GET", "/nothing", 200),
        ("GET", "/raises", 500), ("GET", "/streams", 206), ("GET", "/breaks", 200), ("GET", "/later", 200),
        ("GET", "/status/{code}", 204), ("GET", "/status/{code}", 418), ("GET", "unmatched", 404),
        ("DELETE", "/nothing", 405), ("HEAD", "/nothing", 405), ("GET", "/inner/articles/{slug}", 200),
        ("GET", "/tenants/{tenant}/deep/{name}", 200),
    ])  # fmt: skip
    assert _events(server, "question_submit") == [
        {"question_id": "q-1", "mode": "tutor", "answer": ["A"], "time_to_answer_seconds": 12.346}
    ]
    assert osler.refused == {"schema": 2}  # PROPFIND, and the article whose slug is no id


async def test_t08_a_background_task_runs_after_the_event_and_is_no_part_of_the_answers_duration(tmp_path) -> None:
    with tracked(tmp_path) as (server, osler):
        host = tracked_host(osler)
        before = time.time()

        @host.get("/lingers")
        async def lingers(tasks: BackgroundTasks) -> dict[str, int]:
            tasks.add_task(asyncio.sleep, 1.0)
            return {}

        @host.get("/fails-later")
        async def fails_later(tasks: BackgroundTasks) -> dict[str, int]:
            tasks.add_task(_raises, {})
            return {}

        assert (await ask(host, "GET", "/lingers", x_subject="s1")).status == 200
        assert (await ask(host, "GET", "/fails-later", x_subject="s1")).status == 200
        assert await osler.flush(5)
        lingered, failed = server.stored.values()
    assert lingered["data"]["duration_ms"] < 1000
    at = datetime.fromisoformat(lingered["occurred_at"]).timestamp()
    assert at - before < 1.0
    assert failed["data"]["status"] == 200


async def test_t08_a_send_that_fails_at_the_very_end_is_noted_once_and_raised(tmp_path) -> None:
    def broken(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def failing(message: Any) -> None:
                if message["type"] == "http.response.body":
                    raise ConnectionResetError
                await send(message)

            await app(scope, receive, failing)

        return outer

    with tracked(tmp_path) as (server, osler):
        seen = await ask(broken(tracked_host(osler)), "GET", "/nothing", x_subject="s1")
        assert seen == await ask(broken(plain_host()), "GET", "/nothing", x_subject="s1")
        assert "ConnectionResetError" in (seen.error or "")
        assert await osler.flush(5)
        assert [d["status"] for d in _events(server, "api_request")] == [200]


async def test_t08_a_client_that_goes_away_is_noted_and_the_host_is_cancelled_as_ever(tmp_path) -> None:
    with tracked(tmp_path) as (server, osler):
        host = tracked_host(osler)
        cut_off = await ask(host, "GET", "/streams", go_away_after=0.03, x_subject="s1")
        assert (cut_off.status, cut_off.error) == (206, "cancelled")
        assert b"part 0" in cut_off.body
        assert b"part 4" not in cut_off.body
        in_vain = await ask(host, "GET", "/hangs", go_away_after=0.05, x_subject="s1")
        assert in_vain == await ask(plain_host(), "GET", "/hangs", go_away_after=0.05, x_subject="s1")
        assert in_vain == Seen(error="cancelled")
        assert await osler.flush(5)
        assert sorted(d["status"] for d in _events(server, "api_request")) == [206, 499]


async def test_t08_sync_routes_of_a_starlette_host_at_once_keep_each_learners_answer_apart(tmp_path) -> None:
    """Handlers in threads, no lifespan, no FastAPI: what a handler says is its own request's alone."""

    def answer(request: Request) -> JSONResponse:
        time.sleep(0.01)
        request.state.osler.set(answer=[request.path_params["qid"].upper()], time_to_answer_seconds=3)
        return JSONResponse({})

    with tracked(tmp_path) as (server, osler):
        host = Starlette(routes=[Route("/quiz/{qid}/answer", answer, methods=["POST"])])
        host.add_middleware(TrackingMiddleware, osler=osler, identify=subject_of, routes=ROUTES)
        await asyncio.gather(*(ask(host, "POST", f"/quiz/q{n}/answer", x_subject=f"s{n}") for n in range(40)))
        assert await osler.flush(5)
        answers = {e["data"]["question_id"]: e for e in server.stored.values() if e["type"] == "question_submit"}
    assert len(answers) == 40
    for n in range(40):
        event = answers[f"q{n}"]
        assert event["data"]["answer"] == [f"Q{n}"]
        assert event["user_id"] == str(osler.pseudonym(f"s{n}"))


async def test_t08_web_sockets_pass_untouched_and_unnoted(tmp_path) -> None:
    async def talk(app) -> list:
        inbox = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
        said: list = []

        async def receive():
            return inbox.pop(0)

        async def send(message) -> None:
            said.append(message)

        scope = {"type": "websocket", "path": "/talk", "raw_path": b"/talk", "query_string": b"", "headers": [],
                 "root_path": "", "scheme": "ws", "subprotocols": [], "asgi": {"version": "3.0"}}  # fmt: skip
        await app(scope, receive, send)
        return said

    with tracked(tmp_path) as (server, osler):
        assert await talk(tracked_host(osler)) == await talk(plain_host())
        assert await osler.flush(5)
        assert not server.stored


async def _slow(_scope) -> str:
    await asyncio.sleep(5)
    return "s1"


def _blocks(_scope) -> str:
    time.sleep(0.08)
    return "s1"


def _raises(_scope) -> str:
    raise KeyError("jane.canary@hospital.example")


IDENTIFY = {
    "raises": (_raises, "identify"), "waits": (_slow, "identify"), "blocks": (_blocks, "identify"),
    "an e-mail": (lambda _: "jane.canary@hospital.example", "subject"), "a number": (lambda _: 7, "subject"),
    "nobody": (lambda _: None, None), "an empty text": (lambda _: "", "subject"),
}  # fmt: skip


@pytest.mark.parametrize("what", IDENTIFY)
async def test_t09_an_identify_that_fails_makes_no_event_and_is_counted(what: str, tmp_path, caplog) -> None:
    identify, reason = IDENTIFY[what]
    with tracked(tmp_path) as (server, osler):
        began = time.monotonic()
        seen = await ask(tracked_host(osler, identify), "POST", "/quiz/q-1/answer", b'{"answer":"A"}')
        assert time.monotonic() - began < 2
        assert (seen.status, seen.body, seen.error) == (200, b'{"qid":"q-1","right":true}', None)
        await osler.flush(2)
        assert not server.envelopes
        assert osler.refused[reason] >= 1 if reason else not osler.refused
    assert b"canary" not in t.everything_under(tmp_path)
    assert "canary" not in caplog.text


def _memory_of(osler: Osler) -> bytes:
    recorder = osler._sender._recorder
    classes = [by for queue in (recorder._crowd, recorder._held) for by in queue._by_class]
    return b"".join(repr(item).encode() for by in (recorder._fresh, *classes) for item in by)


async def test_t10_canaries_reach_neither_memory_nor_spool_nor_wire(tmp_path, caplog) -> None:
    email = CANARIES["e-mail"]
    hidden = base64.urlsafe_b64encode(email.encode()).decode().rstrip("=")
    paths = [
        f"/quiz/{email}/answer", f"/quiz/{CANARIES['long']}/answer", "/quiz/a%00canary/answer",
        "/quiz/canary%0A/answer",
        f"/quiz/{CANARIES['token']}/answer", f"/quiz/{hidden}/answer", f"/quiz/{CANARIES['phone']}/answer",
        f"/tenants/{email}/deep/{email}", f"/tenants/canary-tenant/deep/{email}", f"/nowhere/{email}",
        f"/inner/articles/{email}", f"/status/{email}", "/raises",
    ]  # fmt: skip
    headers: dict[str, Any] = {
        "x_subject": "subject-canary-7", "cookie": CANARIES["cookie"], "referer": CANARIES["referrer"],
        "user_agent": f"Mozilla/5.0 (X11; Linux x86_64) {CANARIES['agent']} Firefox/1 {email}",
        "authorization": f"Bearer {CANARIES['token']}", "x_forwarded_for": CANARIES["address"],
    }  # fmt: skip
    body = f'{{"answer":"A","note":"{CANARIES["body"]} {email}"}}'.encode()
    with tracked(tmp_path, flush_seconds=30.0) as (server, osler):
        server.otherwise = t.says(503)
        osler.start()
        assert until(lambda: osler._sender._courier.next_adoption_at > 0)
        seen: list[Seen] = []
        host = tracked_host(osler)
        for n, path in enumerate(paths):
            method = "POST" if path.startswith("/quiz") else "GET"
            seen.append(await ask(host, method, path, body, query=f"q={CANARIES['query']}{n}".encode(), **headers))
        await ask(host, "canary.method", "/nothing", **headers)
        assert any(email.encode() in each.body for each in seen), "the canary was never there"
        memory = _memory_of(osler)
        assert memory.count(b"Requested(") == len(paths), "the queue was looked at too late"
        assert osler._sender._recorder.to_disk()
        spool = t.everything_under(tmp_path)
        assert spool.count(b"duration_ms") == len(paths)
        server.otherwise = t.take
        assert until(lambda: len(server.stored) == len(paths)), (len(server.stored), osler.counts, osler.refused)
        wire = b"".join(server.wire)
    for place in (memory, spool, wire, caplog.text.encode()):
        for canary in (
            b"canary",
            CANARIES["long"][:65].encode(),
            b"203.0.113.77",
            b"0176-5",
            b"0176555",
            hidden.encode(),
        ):
            assert canary not in place, canary
    assert {e["data"]["route"] for e in server.stored.values()} <= {
        "/quiz/{qid}/answer", "/tenants/{tenant}/deep/{name}", "/inner/articles/{slug}", "/status/{code}", "/raises",
        "unmatched",
    }  # fmt: skip
    assert {e["data"]["client"] for e in server.stored.values()} == {"Linux Firefox"}


async def test_t10_health_checks_and_strangers_leave_no_trace(tmp_path) -> None:
    with tracked(tmp_path) as (server, osler):
        host = tracked_host(osler)
        for path in ("/health", "/health/live", "/metrics", "/static/app.js"):
            await ask(host, "GET", path, x_subject="s1")
        await ask(host, "GET", "/nothing")
        await ask(host, "GET", "/healthy-eating", x_subject="s1")
        assert await osler.flush(5)
        assert [e["data"]["route"] for e in server.stored.values()] == ["unmatched"]
        assert subject_of({"headers": []}) is None
