"""The real service as a process of its own, with two routes beside it that do next to nothing.

`GET /api/bench/one` does SELECT 1 behind the same token, policy, transaction and JSON path as every analytic;
`POST /api/bench/nothing` does nothing behind the same token and policy as a submit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from fastapi import Depends, Response

from osler.api import app as application
from osler.api.server import free_port, serve
from osler.http.answers import encoded
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import require
from osler.http.strict import api_router
from osler.settings import load_settings
from world import World

ONE, NOTHING = "/api/bench/one", "/api/bench/nothing"


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server."""

    port: int
    process: psutil.Process

    def megabytes(self) -> float:
        """Resident memory of the process."""
        return self.process.memory_info().rss / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of the process so far."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def serving(world: World, *, cached: bool) -> Iterator[Serving]:
    """The service of that installation, with the cache as the product has it or with one that keeps nothing."""
    port = free_port("127.0.0.1", 0)
    environment = os.environ | {
        "OSLER_HOME": str(world.settings.home), "OSLER_DATABASE_URL": _url(world), "OSLER_LOG_LEVEL": "ERROR",
        "OSLER_RATE_PER_MINUTE": "100000000", "OSLER_RATE_ADDRESS_PER_MINUTE": "100000000",
        "OSLER_CACHE_TTL_SECONDS": "300" if cached else "0",
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__)), str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        if b"ready" not in server.stdout.readline():
            raise RuntimeError("the service did not start; see above")
        yield Serving(port, psutil.Process(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _url(world: World) -> str:
    assert world.settings.database_url is not None
    return world.settings.database_url.get_secret_value()


def with_bench_routes(routers: Any) -> Any:
    """The service's own routers, and ours after them."""

    def all_of_them(*parts: Any) -> list[Any]:
        return [*routers(*parts), _routes()]

    return all_of_them


def _routes() -> Any:
    routes = api_router("/api/bench", "bench")
    read, write = Depends(require(Action.READ_ANALYTICS)), Depends(require(Action.WRITE_EVENTS))

    @routes.get("/one", dependencies=[read])
    async def one(reply: CachedReply) -> Response:
        async def compute(session: Any, _: Any) -> dict[str, Any]:
            return {"one": await session.driver().fetchval("select 1")}

        return await reply("bench.one", compute)

    @routes.post("/nothing", dependencies=[write])
    async def nothing() -> Response:
        return Response(encoded({}), media_type="application/json")

    return routes


def main() -> None:
    """Serve until told to stop."""
    application.routers = with_bench_routes(application.routers)
    settings = load_settings()
    asyncio.run(serve(application.create_app(settings), settings, int(sys.argv[1])))


if __name__ == "__main__":
    main()
