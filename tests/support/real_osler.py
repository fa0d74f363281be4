"""The whole service on a real port, in the test's own loop: what an HTTP client outside would meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from tests.support.web import Web

from osler.api.app import create_app
from osler.api.server import free_port
from osler.settings import Settings


@asynccontextmanager
async def on_a_port(settings: Settings, port: int = 0) -> AsyncIterator[Web]:
    """The application behind granian; `client` asks over the network."""
    app = create_app(settings)
    port = free_port("127.0.0.1", port)
    url = f"http://127.0.0.1:{port}"
    async with app.router.lifespan_context(app), httpx.AsyncClient(base_url=url, trust_env=False) as client:
        server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False)
        serving = asyncio.create_task(server.serve())
        try:
            await _until_ready(client)
            yield Web(settings, app, client)
        finally:
            server.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(serving, 10)


async def _until_ready(client: httpx.AsyncClient) -> None:
    for _ in range(200):
        with suppress(httpx.HTTPError):
            if (await client.get("/api/health/ready")).status_code == 200:
                return
        await asyncio.sleep(0.05)
    msg = "the service was not ready in time"
    raise AssertionError(msg)
