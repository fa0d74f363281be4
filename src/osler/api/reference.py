"""The API's description in the browser, drawn on the server: no script, nothing from elsewhere, off in production."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from osler.http.edge import PAGES

DOCS_PATH, STYLE_PATH = sorted(PAGES, key=len)
OPENAPI_PATH = "/api/openapi.json"
STYLE = Path(__file__).with_name("reference.css")
MOST_EXAMPLE_CHARACTERS = 4_000

Described = Mapping[str, Any]

SIGN_IN = (
    "<p>Every call but those on health carries a token: <code>Authorization: Bearer …</code>. On an installation of "
    "your own, <code>osler token --role learner</code> prints one. What goes wrong comes as "
    "<code>application/problem+json</code> (RFC 9457) with a stable <code>code</code>, a sentence in "
    "<code>detail</code>, and an id to quote.</p>"
)


def serve_reference(app: FastAPI) -> None:
    """Add the page, its style and the machine-readable description."""

    async def openapi(_: Request) -> Response:
        return JSONResponse(app.openapi())

    async def docs(_: Request) -> Response:
        return HTMLResponse(page_of(app.openapi()))

    async def style(_: Request) -> Response:
        return Response(STYLE.read_text(encoding="utf-8"), media_type="text/css")

    for path, answer in ((OPENAPI_PATH, openapi), (DOCS_PATH, docs), (STYLE_PATH, style)):
        app.add_route(path, answer, methods=["GET"], include_in_schema=False)


def page_of(description: Described) -> str:
    """An HTML page of all operations by subject: what each does, takes and answers, with an example of both."""
    operations = [
        (str(operation.get("tags", ["other"])[0]), path, method, cast("Described", operation))
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    parts = {
        subject: "".join(_operation(path, method, operation) for _, path, method, operation in found)
        for subject, found in groupby(sorted(operations, key=lambda one: one[:3]), key=lambda one: one[0])
    }
    title = escape(f"{description['info']['title']} {description['info']['version']}")
    subjects = " · ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in parts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="{STYLE_PATH}"><link rel="icon" href="/icon.svg"></head>'
        f"<body><h1>{title}</h1>{SIGN_IN}"
        f'<p>For programs: <a href="{OPENAPI_PATH}">{OPENAPI_PATH}</a>.</p><nav>{subjects}</nav>'
        + "".join(f'<h2 id="{escape(name)}">{escape(name)}</h2>{part}' for name, part in parts.items())
        + "</body></html>"
    )


def _operation(path: str, method: str, operation: Described) -> str:
    said = str(operation.get("description") or operation.get("summary", ""))
    first, _, more = said.partition("\n\n")
    takes = [_parameter(given) for given in operation.get("parameters", [])]
    sent = _example(operation.get("requestBody", {}))
    statuses = ", ".join(f"{status} {given['description']}" for status, given in operation["responses"].items())
    answers = (_example(given) for status, given in operation["responses"].items() if status.startswith("2"))
    answered = next((made for made in answers if made is not None), None)
    return (
        f"<details><summary><code>{method.upper()} {escape(path)}</code> {escape(first)}</summary>"
        + (f"<p>{escape(more)}</p>" if more else "")
        + (f"<ul>{''.join(takes)}</ul>" if takes else "")
        + (f"<h3>Send</h3>{_block(sent)}" if sent is not None else "")
        + (f"<h3>Get</h3>{_block(answered)}" if answered is not None else "")
        + f"<p>{escape(statuses)}.</p></details>"
    )


def _parameter(given: Described) -> str:
    need = "" if given.get("required") else ", may be left out"
    examples = given.get("schema", {}).get("examples", [])
    for_example = f": <code>{escape(str(examples[0]))}</code>" if examples else ""
    said = f" ({escape(str(given['description']))})" if given.get("description") else ""
    return f"<li><code>{escape(given['name'])}</code> in the {given['in']}{need}{for_example}{said}</li>"


def _example(described: Described) -> Any:  # any JSON value
    return described.get("content", {}).get("application/json", {}).get("example")


def _block(value: Any) -> str:  # any JSON value
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return (
        f'<pre tabindex="0">{escape(text[:MOST_EXAMPLE_CHARACTERS])}{"…" * (len(text) > MOST_EXAMPLE_CHARACTERS)}</pre>'
    )
