"""Templates come from declarations alone: included routers, mounts with parameters, frameworks that say less."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.support.asgi import http_scope

from osler.tracking.templates import plain, route_template


async def _page(_: Any) -> PlainTextResponse:
    return PlainTextResponse("x")


def _fastapi() -> FastAPI:
    inner, deep = APIRouter(prefix="/inner/{a}"), APIRouter(prefix="/deep")
    deep.add_api_route("/{b:path}", _page)
    inner.include_router(deep)
    app, mounted = FastAPI(), FastAPI()
    app.include_router(inner, prefix="/api")
    app.add_api_route("/odd/~{x}", _page)
    mounted.add_api_route("/", _page)
    mounted.add_api_route("/z/{k}", _page)
    mounted.mount("/more/{m}", Starlette(routes=[Route("/end", _page)]))
    app.mount("/tenants/{tenant:int}", mounted)
    return app


def _starlette() -> Starlette:
    return Starlette(routes=[Route("/s/{a:int}", _page), Mount("/m/{t}", routes=[Route("/e/{u}", _page)])])


async def _template(app: Any, path: str, *, hide: str = "") -> str:
    scope = http_scope("GET", path, {})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return

    await app(scope, receive, send)
    scope.pop(hide, None)
    return route_template(scope)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/inner/me@x.example/deep/b/c", "/api/inner/{a}/deep/{b}"),
        ("/tenants/7/", "/tenants/{tenant}/"),
        ("/tenants/007/z/me@x.example", "/tenants/{tenant}/z/{k}"),
        ("/tenants/7/more/me@x.example/end", "/tenants/{tenant}/more/{m}/end"),
        ("/nowhere/me@x.example", "unmatched"),
        ("/odd/~me", "unmatched"),
    ],
)
async def test_a_fastapi_application(path: str, template: str):
    assert await _template(_fastapi(), path) == template


@pytest.mark.parametrize(
    ("path", "template"),
    [("/s/007", "/s/{a}"), ("/m/me@x.example/e/you", "/m/{t}/e/{u}"), ("/nowhere", "unmatched")],
)
async def test_a_starlette_application(path: str, template: str):
    assert await _template(_starlette(), path) == template


async def test_a_framework_that_says_the_function_but_not_the_route():
    assert await _template(_starlette(), "/s/007", hide="route") == "/s/{a}"


async def test_what_cannot_be_told_is_unmatched_and_never_the_path():
    scope = {**http_scope("GET", "/raw/me@x.example", {}), "endpoint": _page, "path_params": {"who": "me@x.example"}}
    assert route_template(scope) == "unmatched"
    assert route_template({**scope, "root_path": "/raw", "app_root_path": "", "path_format": "/x"}) == "unmatched"


def test_converters_are_left_out():
    assert plain("/a/{b:path}/{c}/{d:int}") == "/a/{b}/{c}/{d}"
