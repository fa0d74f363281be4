"""An ASGI application asked directly, message by message: what a client would see, and nothing of a client's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What came back."""

    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    error: str | None = None


def http_scope(method: str, path: str, headers: dict[str, str], query: bytes = b"") -> dict[str, Any]:
    from urllib.parse import unquote

    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("203.0.113.77", 4711), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip


async def ask(
    app: Any, method: str, path: str, body: bytes = b"", *, query: bytes = b"", go_away_after: float | None = None,
    **headers: str,
) -> Seen:  # fmt: skip
    """One request; with `go_away_after` the client is gone then and the server cancels the task, as servers do."""
    seen = Seen()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.status, seen.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            seen.body += message.get("body", b"")

    scope = http_scope(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, query)
    running = asyncio.ensure_future(app(scope, receive, send))
    try:
        if go_away_after is not None:
            await asyncio.sleep(go_away_after)
            running.cancel()
        await running
    except asyncio.CancelledError:
        seen.error = "cancelled"
    except Exception as error:  # noqa: BLE001 (whatever the application raises is what a client would not see)
        seen.error = f"{type(error).__name__}: {error}"
    return seen
