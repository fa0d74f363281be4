"""What stands on every answer, and what is refused before any route."""

import json
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from osler.api.app import create_app
from osler.errors import Misconfigured
from osler.http.edge import MAX_BODY_BYTES, SECURITY_HEADERS, Edge
from osler.http.problems import install_problems
from osler.http.strict import api_router
from osler.observe import metrics
from osler.settings import Profile, load_settings

ERRORS = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


class Body(BaseModel):
    name: str
    n: int = 0


def client(report=None) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    routes = api_router("/api", "test")
    routes.post("/echo")(echo)
    routes.get("/boom")(boom)
    routes.get("/items/{n}")(item)
    app.include_router(routes)
    install_problems(app)
    app.add_middleware(Edge, report=report)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://osler.test")


async def echo(body: Body) -> Body:
    return body


async def item(n: int) -> int:
    return n


async def boom() -> None:
    msg = "canary-7f3a: select * from users where password='hunter2' /usr/lib/python3"
    raise RuntimeError(msg)


def problem(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert (body["type"], body["title"]) == ("about:blank", HTTPStatus(answer.status_code).phrase)
    assert f"| `{body['code']}` |" in ERRORS.read_text(), "a code that the reference does not have"
    return body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/none", 404), ("DELETE", "/api/echo", 405), ("GET", "/api/boom", 500), ("GET", "/", 404),
     ("GET", "/api/items/1", 200), ("POST", "/api/echo", 422)],
)  # fmt: skip
async def test_a12_safe_headers_stand_on_every_answer_errors_too(method: str, path: str, status: int) -> None:
    answer = await client().request(method, path)
    assert answer.status_code == status
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["server"] == ""
    assert answer.headers["cache-control"] == "no-store"


async def test_h12_the_policy_of_content_lets_no_inline_script_run() -> None:
    policy = (await client().get("/api/items/1")).headers["content-security-policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.split()}
    assert rules["default-src"] == ["'self'"]
    assert "script-src" not in rules
    assert rules["object-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'none'"]


async def test_a17_an_unforeseen_error_says_its_code_and_id_and_nothing_else() -> None:
    told: list[BaseException] = []
    answer = await client(report=lambda error, scope: told.append(error)).get("/api/boom")
    assert set(problem(answer)) == {"type", "title", "status", "code", "request_id"}
    for word in ("canary", "select", "hunter2", "python", "RuntimeError"):
        assert word not in answer.text
    assert len(told) == 1


@pytest.mark.parametrize(
    ("method", "path", "sent", "detail"),
    [
        ("POST", "/api/echo", {"name": 1, "n": "x"},
         "/body/name is not of the kind that has to stand there; /body/n is not of the kind that has to stand there."),
        ("POST", "/api/echo", {}, "/body/name is missing."),
        ("GET", "/api/none", None, "There is nothing here."),
        ("GET", "/api/items/x", None, "There is nothing here."),
        ("GET", "/api/echo", None, "This address takes other methods; the header Allow names them."),
    ],
)  # fmt: skip
async def test_what_was_wrong_is_said_in_a_sentence(method: str, path: str, sent: object, detail: str) -> None:
    answer = await client().request(method, path, json=sent)
    assert problem(answer)["detail"] == detail


async def test_a_wrong_method_names_the_right_ones() -> None:
    answer = await client().get("/api/echo")
    assert problem(answer)["code"] == "method.not_allowed"
    assert answer.headers["allow"] == "POST"


async def test_a_wrong_method_names_all_that_the_address_takes() -> None:
    app = FastAPI(openapi_url=None)
    routes = api_router("/api", "test")
    routes.get("/items/{n}")(item)
    routes.put("/items/{n}")(item)
    other = api_router("/api", "other")
    other.delete("/items/{n}")(item)
    app.include_router(routes)
    app.include_router(other)
    install_problems(app)
    web = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://osler.test")
    answer = await web.post("/api/items/1", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PUT")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accepted", "status"),
    [
        ("text/xml", 406), ("text/html, text/*", 406), ("application/json;q=0", 406), ("*/*;q=0.000", 406),
        ("*/*", 200), (BROWSER, 200), ("application/json", 200), ("text/xml, application/json;q=0.1", 200),
        ("APPLICATION/JSON; charset=utf-8", 200), ("application/*", 200), ("application/problem+json", 200), ("", 200),
    ],
)  # fmt: skip
async def test_who_takes_no_json_gets_406(accepted: str, status: int) -> None:
    answer = await client().get("/api/items/1", headers={"Accept": accepted})
    assert answer.status_code == status
    if status == 406:
        assert problem(answer)["code"] == "media.not_acceptable"


async def test_a_page_may_be_asked_for_as_text() -> None:
    assert (await client().get("/none", headers={"Accept": "text/html"})).status_code == 404


@pytest.mark.parametrize(
    "raw",
    [b'{"name": NaN}', b'{"name": "\xff"}', b'\xef\xbb\xbf{"name": "a"}', '{"name": "a"}'.encode("utf-16"),
     b'{"name": "\\ud800"}', b'{"n": 1e400, "name": "a"}', b"[" * 100_000, b'{"name"', b"", b"null"],
)  # fmt: skip
async def test_hostile_bodies_get_400_or_422_and_are_never_repeated(raw: bytes) -> None:
    answer = await client().post("/api/echo", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    problem(answer)


async def test_validation_repeats_neither_values_nor_unknown_names() -> None:
    answer = await client().post("/api/echo", json={"name": ["canary-1"], "canary-2": "canary-3", "n": "canary-4"})
    assert answer.status_code == 422
    assert "canary" not in answer.text
    assert problem(answer)["errors"] == [
        {"code": "schema.type", "path": "/body/name"},
        {"code": "schema.type", "path": "/body/n"},
    ]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/api/items/1?user=a&user=b", "request.query_repeated"), ("/api/items/1?a=%ff", "request.query"),
     ("/api/items/a%2f..%2fb", "request.path"), ("/api/items/%00", "request.path"),
     ("/api/items/a%5cb", "request.path"), ("/api/items/1?" + "&".join(f"q{i}=1" for i in range(60)), "request.query")],
)  # fmt: skip
async def test_h19_what_two_parsers_could_read_differently_is_400(path: str, code: str) -> None:
    answer = await client().get(path)
    assert (answer.status_code, problem(answer)["code"]) == (400, code)


async def test_a_path_parameter_of_the_wrong_form_is_simply_not_there() -> None:
    answer = await client().get("/api/items/canary")
    assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a11_a_body_that_a_form_could_send_is_415(kind: str) -> None:
    answer = await client().post("/api/echo", content=b'{"name": "a"}', headers={"Content-Type": kind})
    assert (answer.status_code, problem(answer)["code"]) == (415, "media.unsupported")


async def test_a_body_over_the_limit_is_413_declared_or_not() -> None:
    async def stream():
        for _ in range(12):
            yield b"x" * 500_000

    kind = {"Content-Type": "application/json"}
    declared = await client().post("/api/echo", content=b"x" * (MAX_BODY_BYTES + 1), headers=kind)
    streamed = await client().post("/api/echo", content=stream(), headers=kind)
    for answer in (declared, streamed):
        assert (answer.status_code, problem(answer)["code"]) == (413, "too_large")


async def test_h14_paths_that_strangers_make_up_are_one_label() -> None:
    web = client()
    for n in range(300):
        await web.get(f"/api/made-up-{n}")
    lines = [line for line in metrics_text().splitlines() if line.startswith("osler_http_requests_total")]
    assert not any("made-up" in line for line in lines)
    assert any('route="other"' in line for line in lines)


def metrics_text() -> str:
    from prometheus_client import generate_latest

    return generate_latest(metrics.REGISTRY).decode()


def test_a16_docs_are_off_in_production_and_metrics_are_no_route(tmp_path: Path) -> None:
    production = load_settings(
        home=tmp_path, profile="production", issuer="https://id.example", jwks_url="https://id.example/keys"
    )
    local = load_settings(home=tmp_path)
    paths = {
        profile.profile: {getattr(route, "path", "") for route in create_app(profile).routes}
        for profile in (production, local)
    }
    assert "/api/docs" not in paths[Profile.PRODUCTION]
    assert "/api/openapi.json" not in paths[Profile.PRODUCTION]
    assert "/api/docs" in paths[Profile.LOCAL]
    assert not any("metrics" in path or "debug" in path for path in paths[Profile.PRODUCTION] | paths[Profile.LOCAL])


async def test_a16_nothing_inner_is_answered_in_production(tmp_path: Path) -> None:
    production = load_settings(
        home=tmp_path, profile="production", issuer="https://id.example", jwks_url="https://id.example/keys"
    )
    assert production.metrics_host == "127.0.0.1", "metrics face the inside unless somebody says otherwise"
    assert production.metrics_port is None
    transport = httpx.ASGITransport(create_app(production), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://osler.test") as web:
        for path in ("/api/docs", "/api/redoc", "/api/openapi.json", "/api/metrics", "/api/debug", "/api/docs/"):
            assert (await web.get(path)).status_code == 404, path
        for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/debug", "/.env", "/api/../metrics"):
            answer = await web.get(path)
            assert "osler_http" not in answer.text, path
            assert "swagger" not in answer.text.lower(), path
            assert (
                not answer.headers.get("content-type", "").startswith("application/json") or answer.status_code >= 400
            )


def test_production_refuses_the_local_issuer(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        load_settings(home=tmp_path, profile="production")


def test_openapi_needs_no_server(tmp_path: Path) -> None:
    described = create_app(load_settings(home=tmp_path)).openapi()
    assert described["paths"]["/api/me"]["get"]["security"] == [{"HTTPBearer": []}]
    json.dumps(described)
