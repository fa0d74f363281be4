"""The API's description in the browser, drawn on the server: no script, nothing from elsewhere, off in production."""

from __future__ import annotations

from html import escape
from typing import Any, cast

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

DOCS_PATH = "/api/docs"
OPENAPI_PATH = "/api/openapi.json"


def serve_reference(app: FastAPI) -> None:
    """Add the page and the machine-readable description."""

    async def openapi(_: Request) -> Response:
        return JSONResponse(app.openapi())

    async def docs(_: Request) -> Response:
        return HTMLResponse(page_of(app.openapi()))

    app.add_route(OPENAPI_PATH, openapi, methods=["GET"], include_in_schema=False)
    app.add_route(DOCS_PATH, docs, methods=["GET"], include_in_schema=False)


def page_of(description: dict[str, Any]) -> str:
    """An HTML page of all operations: method, path, what it does, what it takes."""
    rows = [
        _row(method, path, cast("dict[str, Any]", operation))
        for path, operations in sorted(description["paths"].items())
        for method, operation in operations.items()
    ]
    title = escape(f"{description['info']['title']} {description['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        f'<p>For programs: <a href="{OPENAPI_PATH}">{OPENAPI_PATH}</a>.</p>'
        "<table><thead><tr><th>Method<th>Path<th>What it does<th>Takes</thead><tbody>"
        + "".join(rows)
        + "</table></html>"
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    taken = [f"{given['name']} ({given['in']})" for given in operation.get("parameters", [])]
    if "requestBody" in operation:
        taken.append("a JSON body")
    said = str(operation.get("description") or operation.get("summary", ""))
    cells = (f"<code>{method.upper()}</code>", f"<code>{escape(path)}</code>", escape(said), escape(", ".join(taken)))
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "</tr>"
