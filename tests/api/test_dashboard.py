"""The page in the browser: built files and nothing else, compressed beforehand, or a sentence where none was built."""

import shutil
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.support.web import Web

from osler.api.dashboard import read_assets, serve_dashboard
from osler.http.edge import Edge
from osler.http.problems import install_problems


@pytest.fixture
def built(tmp_path: Path) -> Path:
    dist = tmp_path / "webdist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Osler</title>")
    (dist / "assets" / "index-abc123.js").write_text("let x = 1")
    (dist / "assets" / "index-abc123.js.br").write_bytes(b"brotli")
    (dist / "assets" / "index-abc123.js.gz").write_bytes(b"gzip")
    (dist / ".stamp").write_text("secret")
    (dist / ".vite").mkdir()
    (dist / ".vite" / "manifest.json").write_text("{}")
    (tmp_path / "outside.txt").write_text("outside")
    return dist


def client(folder: Path) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.add_middleware(Edge)
    serve_dashboard(app, folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://osler.test")


async def test_hashed_files_are_immutable_and_come_in_the_encoding_that_is_taken(built: Path) -> None:
    web = client(built)
    for accepted, encoding in (("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)):
        answer = (
            await web.get("/assets/index-abc123.js", headers={"Accept-Encoding": accepted})
            if encoding is None
            else None
        )
        if answer is not None:
            assert "content-encoding" not in answer.headers
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        else:
            async with web.stream("GET", "/assets/index-abc123.js", headers={"Accept-Encoding": accepted}) as streamed:
                assert streamed.headers["content-encoding"] == encoding
                assert streamed.headers["content-type"].startswith("text/javascript")


async def test_a_pages_address_is_the_page_and_the_api_is_not(built: Path) -> None:
    web = client(built)
    for path in ("/", "/topics", "/topics/renal/acid-base"):
        answer = await web.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert "<title>Osler</title>" in answer.text
    for path in (
        "/api/none",
        "/missing.js",
        "/.stamp",
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/metrics",
        "/docs",
    ):
        assert (await web.get(path)).status_code in {400, 404}, path


async def test_without_a_dashboard_the_page_says_so(tmp_path: Path) -> None:
    answer = await client(tmp_path / "none").get("/")
    assert answer.status_code == 200
    assert "/api/docs" in answer.text
    assert "<script" not in answer.text
    assert (await client(tmp_path / "none").get("/topics")).status_code == 404


async def test_a_page_that_is_built_anew_under_the_server_is_served(built: Path) -> None:
    web = client(built)
    web.headers["Accept-Encoding"] = "identity"
    assert (await web.get("/assets/index-abc123.js")).status_code == 200
    shutil.rmtree(built / "assets")
    (built / "assets").mkdir()
    (built / "assets" / "index-def456.js").write_text("let x = 2")
    (built / "index.html").write_text("<!doctype html><title>Osler anew</title>")
    assert "Osler anew" in (await web.get("/")).text
    assert (await web.get("/assets/index-def456.js")).status_code == 200
    assert (await web.get("/assets/index-abc123.js")).status_code == 404


def test_only_what_was_built_is_listed(built: Path) -> None:
    assert sorted(read_assets(built)) == ["/assets/index-abc123.js", "/index.html"]


@pytest.mark.integration
async def test_a_get_where_only_others_are_taken_says_which(web: Web) -> None:
    answer = await web.client.get("/api/events/batch", headers=web.auth())
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await web.client.get("/api/events/none", headers=web.auth())).status_code == 404
