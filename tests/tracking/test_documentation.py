"""The pages' own words, run: what a reader copies makes events that Osler takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from tests.support.asgi import ask
from tests.support.tracking import listening, until

ROOT = Path(__file__).resolve().parents[2]


def _snippet(page: str, mark: str) -> str:
    found = [text for text in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL) if mark in text]
    assert found, f"{page} has no snippet with {mark}"
    return found[0]


class LoggedIn:
    """A log-in of the host's own, round everything else."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["user_id"] = "u7"
        await self.app(scope, receive, send)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with listening() as running:
        for name, value in {
            "OSLER_URL": running.url, "OSLER_TOKEN": "t", "OSLER_TRACKING_KEY": "k" * 40, "OSLER_HOME": str(tmp_path),
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield running


async def test_the_page_on_embedding_makes_both_its_events(server) -> None:
    names: dict[str, Any] = {}
    exec(_snippet("docs/how-to/embed-tracking.md", "Osler.from_env()"), names)
    app: FastAPI = names["app"]

    @app.post("/materials/{material_id}/open")
    async def opened(material_id: str) -> dict[str, str]:
        return {"opened": material_id}

    app.add_middleware(LoggedIn)  # type: ignore[arg-type]
    assert (await ask(app, "POST", "/materials/m1/open")).status == 200
    assert until(lambda: sorted(server.types()) == ["api_request", "material_open"]), names["osler"].refused
    names["osler"].close()


async def test_the_readme_tracks_an_answer(server) -> None:
    app = FastAPI()
    names: dict[str, Any] = {"app": app, "subject_of": lambda scope: scope["state"].get("user_id")}
    exec(_snippet("README.md", "Osler.from_env()"), names)

    @app.post("/quiz/{qid}/answer")
    async def answer(qid: str, request: Request) -> dict[str, str]:
        request.state.osler.set(answer=["A"], time_to_answer_seconds=45)
        return {"qid": qid}

    app.add_middleware(LoggedIn)  # type: ignore[arg-type]
    assert (await ask(app, "POST", "/quiz/q-1/answer")).status == 200
    assert until(lambda: sorted(server.types()) == ["api_request", "question_submit"]), names["osler"].refused
    names["osler"].close()
