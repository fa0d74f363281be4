"""The API's page tells of every operation what goes in and what comes out, and takes nothing from elsewhere."""

from __future__ import annotations

import re

import httpx
import pytest

from osler.api.app import create_app
from osler.api.description import example_of
from osler.api.reference import page_of
from osler.settings import load_settings


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory):
    return create_app(load_settings(home=tmp_path_factory.mktemp("home")))


async def test_the_page_and_its_style_are_served_from_here_alone(application) -> None:
    web = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://osler.test")
    page = await web.get("/api/docs", headers={"Accept": "text/html"})
    style = await web.get("/api/docs.css", headers={"Accept": "text/css"})
    assert (page.status_code, style.status_code) == (200, 200)
    assert style.headers["content-type"].startswith("text/css")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert not re.search(r"(?:src|href)=\"https?:", page.text)


def test_every_operation_that_takes_or_gives_json_shows_an_example(application) -> None:
    description = application.openapi()
    page = page_of(description)
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            (shown,) = re.findall(
                rf"<details><summary><code>{method.upper()} {re.escape(path)}</code>.*?</details>", page, re.S
            )
            assert ("<h3>Send</h3>" in shown) == ("requestBody" in operation), path
            given = [one.get("content", {}).get("application/json", {}) for one in operation["responses"].values()]
            assert "<h3>Get</h3>" in shown or not any(one.get("schema") for one in given), path


def test_a_refusal_is_described_as_what_is_sent(application) -> None:
    for path, operations in application.openapi()["paths"].items():
        for operation in operations.values():
            assert {"400", "401", "422", "429"} <= set(operation["responses"]), path
            for status, given in operation["responses"].items():
                if int(status) >= 400:
                    assert set(given["content"]) == {"application/problem+json"}, (path, status)


def test_everything_that_is_sent_or_answered_has_an_example(application) -> None:
    description = application.openapi()
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for given in operation.get("parameters", []):
                assert given["schema"].get("examples"), (path, given["name"])
            for one in (operation.get("requestBody", {}), *operation["responses"].values()):
                for body in one.get("content", {}).values():
                    assert body.get("example") is not None or body["examples"], path


KINDS = {"string": str, "integer": int, "object": dict, "array": list}


def assert_fits(problem: dict, shape: dict) -> None:
    assert set(shape["required"]) <= set(problem) <= set(shape["properties"])
    for name, value in problem.items():
        assert isinstance(value, KINDS[shape["properties"][name]["type"]]), name


def test_a_problem_is_described_as_it_is_sent(application) -> None:
    description = application.openapi()
    shape = description["components"]["schemas"]["Problem"]
    for operations in description["paths"].values():
        for operation in operations.values():
            for status, given in operation["responses"].items():
                if int(status) >= 400:
                    (body,) = given["content"].values()
                    name = body["examples"]["problem"]["$ref"].rpartition("/")[2]
                    example = description["components"]["examples"][name]["value"]
                    assert_fits(example, shape)
                    assert example["status"] == int(status)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/nowhere", {}, 404),
        ("GET", "/api/me", {"Accept": "image/png"}, 406),
        ("DELETE", "/api/health/live", {}, 405),
        ("POST", "/api/events", {"Content-Type": "text/plain"}, 415),
        ("POST", "/api/events", {"Content-Type": "application/json", "Content-Length": str(2**30)}, 413),
    ],
)
async def test_what_is_sent_has_the_shape_that_is_described(application, method, path, headers, status) -> None:
    web = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://osler.test")
    said = await web.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
    assert said.status_code == status
    assert_fits(said.json(), application.openapi()["components"]["schemas"]["Problem"])


def test_an_example_is_put_together_of_those_of_the_fields() -> None:
    schemas = {
        "Exam": {
            "properties": {
                "id": {"examples": ["finals"]},
                "days": {"items": {"$ref": "#/components/schemas/Day"}},
                "goal": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": 0.5},
            }
        },
        "Day": {"enum": ["monday", "tuesday"]},
    }
    made = example_of({"schema": {"$ref": "#/components/schemas/Exam"}}, schemas)
    assert made == {"id": "finals", "days": ["monday"], "goal": 0.5}


def test_what_is_said_of_an_operation_is_shown_as_text() -> None:
    operation = {"tags": ["<b>"], "description": "<script>alert(1)</script>", "responses": {}}
    page = page_of({"info": {"title": "T", "version": "1"}, "paths": {"/<i>": {"get": operation}}})
    assert not re.search("<(script|b|i)>", page)
