"""A host application for tests of tracking, driven in process; `python -m` this module for a real one."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, Request, WebSocket
from starlette.responses import StreamingResponse

from osler.tracking import Osler, TrackingMiddleware, maps_to, path

ROUTES = {
    ("POST", "/quiz/{qid}/answer"): maps_to("question_submit", question_id=path("qid"), mode="tutor"),
    ("GET", "/inner/articles/{slug:path}"): maps_to("material_open", material_id=path("slug"), kind="text"),
}


def subject_of(scope: Any) -> str | None:
    """The learner in a header of the host's own."""
    found = dict(scope["headers"]).get(b"x-subject")
    return found.decode() if found else None


def plain_host() -> FastAPI:  # noqa: C901 (one function a route)
    """What the host does, without tracking."""
    app = FastAPI()
    inner = APIRouter(prefix="/inner")
    app.state.background = []

    @app.post("/quiz/{qid}/answer")
    async def answer(qid: str, request: Request) -> dict[str, Any]:
        body = await request.json()
        details = getattr(request.state, "osler", None)
        if details is not None:
            details.set(answer=[body["answer"]], time_to_answer_seconds=12.3456)
        return {"qid": qid, "right": body["answer"] == "A"}

    @app.get("/nothing")
    async def nothing() -> dict[str, str]:
        return {}

    @app.get("/raises")
    async def raises() -> None:
        msg = "patient@example.org could not be found"
        raise RuntimeError(msg)

    @app.get("/status/{code}")
    async def status(code: int) -> Any:
        from starlette.responses import Response

        return Response(status_code=code)

    @app.get("/streams")
    async def streams() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for n in range(5):
                yield b"part %d\n" % n
                await asyncio.sleep(0.02)

        return StreamingResponse(parts(), media_type="text/plain", status_code=206)

    @app.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError

        return StreamingResponse(parts())

    @app.get("/hangs")
    async def hangs() -> None:
        await asyncio.sleep(60)

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> dict[str, str]:
        tasks.add_task(app.state.background.append, "done")
        return {"later": "yes"}

    @app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("you said " + await socket.receive_text())
        await socket.close(4001)

    @inner.get("/articles/{slug:path}")
    async def article(slug: str) -> dict[str, str]:
        return {"slug": slug}

    app.include_router(inner)
    mounted = FastAPI()

    @mounted.get("/deep/{name}")
    async def deep(name: str) -> dict[str, str]:
        return {"name": name}

    app.mount("/tenants/{tenant}", mounted)
    return app


def tracked_host(osler: Osler, identify: Any = subject_of) -> FastAPI:
    """The same host, tracked."""
    app = plain_host()
    app.add_middleware(TrackingMiddleware, osler=osler, identify=identify, routes=ROUTES)
    return app


async def _serve(app: FastAPI, port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


def main(url: str, folder: str, port: str, *flags: str) -> None:
    """Serve the host on a port, tracked against an Osler, until killed."""
    from tests.support.tracking import KEY, options

    from osler.tracking import HttpSink

    osler = Osler(HttpSink(url, "a-token"), KEY, options(Path(folder), flush_seconds=0.2))
    app = tracked_host(osler)

    @app.post("/notes/{number}")
    async def durable(number: int) -> dict[str, bool]:
        data = {"material_id": "m1", "note_id": f"d{number}", "action": "create", "length_chars": 3}
        return {"written": await osler.track("note_taken", user="s1", data=data, durable="durable" in flags)}

    osler.start()
    asyncio.run(_serve(app, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
