"""Round hosts unlike others: lifespans that fail, answers that servers send themselves, a state that is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import Response
from tests.support.asgi import ask
from tests.support.tracking import listening, note, tracking

from osler.tracking import Osler, TrackingMiddleware

Scope = MutableMapping[str, Any]


def _subject(_: Any) -> str:
    return "s1"


async def _live(app: Any) -> tuple[list[Any], str | None]:
    """One lifespan from startup to shutdown: what the host said, and how it failed."""
    inbox, said = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], list[Any]()

    async def receive() -> Any:
        return inbox.pop(0)

    async def send(message: Any) -> None:
        said.append({**message, "message": message.get("message", "").rpartition("\n  File")[2][-60:]})

    try:
        await app({"type": "lifespan", "state": {}, "asgi": {"version": "3.0"}}, receive, send)
    except Exception as error:  # noqa: BLE001 (the host's own)
        return said, type(error).__name__
    return said, None


@pytest.mark.parametrize("fails", ["startup", "shutdown", "never"])
async def test_a_lifespan_that_fails_fails_as_without_tracking_and_nothing_queued_is_lost(
    fails: str, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if fails == "startup":
            raise RuntimeError(fails)
        yield
        if fails == "shutdown":
            raise RuntimeError(fails)

    bare, host = FastAPI(lifespan=lifespan), FastAPI(lifespan=lifespan)
    with listening() as server, tracking(server.url, tmp_path) as osler:
        host.add_middleware(TrackingMiddleware, osler=osler, identify=_subject)
        note(osler, 1)
        assert await _live(host) == await _live(bare)
        assert fails == "startup" or len(server.stored) == 1, "the middleware did not close"
        osler.close()
        assert len(server.stored) == 1


async def test_a_host_without_a_lifespan_says_so_as_without_tracking(tmp_path: Path) -> None:
    async def http_alone(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"

    with listening() as server, tracking(server.url, tmp_path) as osler:
        host = TrackingMiddleware(http_alone, osler=osler, identify=_subject)
        assert await _live(host) == await _live(http_alone) == ([], "AssertionError")


def _answers(*messages: Scope) -> Any:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        del scope, receive
        for message in messages:
            await send(message)

    return app


START = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.debug", "info": {}}, START, {"type": "http.response.body", "body": b"x"}],
        [START, {"type": "http.response.pathsend", "path": "/srv/a.mp4"}],
        [START, {"type": "http.response.zerocopysend", "file": 3}],
        [START, {"type": "http.response.body", "more_body": True}, {"type": "http.response.body"},
         {"type": "http.response.trailers", "headers": []}],
        [START, {"type": "http.response.body"}, {"type": "http.response.body"}],
        [START],
    ],
)  # fmt: skip
async def test_whatever_a_server_can_send_is_passed_on_and_noted_once(messages: list[Scope], tmp_path: Path) -> None:
    said: list[Scope] = []

    async def send(message: Scope) -> None:
        said.append(message)

    with listening() as server, tracking(server.url, tmp_path) as osler:
        host = TrackingMiddleware(_answers(*messages), osler=osler, identify=_subject)
        scope = {"type": "http", "path": "/x", "method": "GET", "headers": [], "state": None}
        await host(scope, _nothing, send)
        assert said == messages
        assert await osler.flush(5)
        assert [event["data"]["status"] for event in server.stored.values()] == [200]


async def _nothing() -> Scope:
    return {"type": "http.disconnect"}


async def test_a_status_that_is_none_costs_its_own_event_alone(tmp_path: Path) -> None:
    async def odd(scope: Scope, receive: Any, send: Any) -> None:
        del receive
        await send({"type": "http.response.start", "status": [] if scope["path"] == "/odd" else HTTPStatus.CREATED})
        await send({"type": "http.response.body"})

    async def swallow(_: Scope) -> None:
        """A server that takes anything."""

    with listening() as server, tracking(server.url, tmp_path) as osler:
        host = TrackingMiddleware(odd, osler=osler, identify=_subject)
        for path in ("/good", "/odd", "/good"):
            await host({"type": "http", "path": path, "method": "GET", "headers": []}, _nothing, swallow)
        assert await osler.flush(5)
        assert [event["data"]["status"] for event in server.stored.values()] == [201, 201]
        assert osler.refused == {"schema": 1}


async def test_what_a_handler_says_stays_with_its_request_though_servers_hand_out_one_state(tmp_path: Path) -> None:
    shared: dict[str, Any] = {"pool": object()}

    async def handler(scope: Scope, receive: Any, send: Any) -> None:
        await Response()(scope, receive, send)
        assert scope["state"]["pool"] is shared["pool"]

    with tracking("http://127.0.0.1:9", tmp_path, shutdown_seconds=0.1) as osler:
        host = TrackingMiddleware(handler, osler=osler, identify=_subject)
        scope = {"type": "http", "path": "/x", "method": "GET", "headers": [], "state": shared}
        await host(scope, _nothing, _swallow)
    assert shared.keys() == {"pool"}


async def _swallow(_: Scope) -> None:
    """A server that takes anything."""


async def test_hosts_inside_a_host_are_noted_by_the_middleware_that_is_there(tmp_path: Path) -> None:
    """Tracking of a mounted application alone: the outer one's requests are not its."""
    with listening() as server, tracking(server.url, tmp_path) as osler:
        outer, inner = FastAPI(), _inner(osler)
        outer.mount("/school", inner)
        assert (await ask(outer, "GET", "/school/pages/7")).status == 200
        assert (await ask(outer, "GET", "/elsewhere")).status == 404
        assert await osler.flush(5)
        assert [event["data"]["route"] for event in server.stored.values()] == ["/school/pages/{page}"]


def _inner(osler: Osler) -> FastAPI:
    app = FastAPI()
    app.add_middleware(TrackingMiddleware, osler=osler, identify=_subject)

    @app.get("/pages/{page}")
    async def page(page: str) -> dict[str, str]:
        return {"page": page}

    return app
