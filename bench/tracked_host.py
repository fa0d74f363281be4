"""A host application in a process of its own, tracked or not, that takes requests and says how long each took.

`python -m bench.tracked_host '{"work": "waits", "milliseconds": 1, …}'`; then one number of requests a line on standard
input, one JSON object a line on standard output. Requests go straight into the application, one after the other: a
server and a network in between make tracking's share of the time smaller. With `served` they are there.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI

from osler.tracking import HttpSink, Osler, TrackingMiddleware, TrackingOptions
from osler.tracking.priority import Queued
from osler.tracking.spool import Spool

KEY = b"a key of the bench, long enough"
AGENT = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
HEADERS = [(b"host", b"quiz.example"), (b"accept", b"application/json"), (b"accept-language", b"en"),
           (b"accept-encoding", b"gzip"), (b"cookie", b"login=s1"), (b"referer", b"https://quiz.example/"),
           (b"user-agent", AGENT), (b"connection", b"keep-alive")]  # fmt: skip
SPOOL_BYTES = 32 * 1024 * 1024


class Wanted(msgspec.Struct, kw_only=True):
    """What host to be. `work` is `waits` or `computes`; `spool` is the queue's folder, None for an untracked host.

    `disk_full` makes every write fail; `queue_full` fills the queue with learners' events that nobody takes;
    `planted_ms` delays each request in the middleware, which the measure has to see. `served`: by a web server, to whom
    the requests come over loopback.
    """

    work: str = "waits"
    milliseconds: float = 1.0
    turns: int = 0
    spool: str | None = None
    url: str = ""
    disk_full: bool = False
    queue_full: bool = False
    planted_ms: float = 0.0
    served: bool = False


def application(wanted: Wanted, osler: Osler | None) -> FastAPI:
    """One route that does its work, and the three lines that track it."""
    app = FastAPI()

    @app.get("/works/{number}")
    async def works(number: str) -> dict[str, str]:
        if wanted.work == "computes":
            compute(wanted.turns)
        elif wanted.milliseconds:
            await asyncio.sleep(wanted.milliseconds / 1000)
        return {"number": number}

    if osler is not None:
        app.add_middleware(TrackingMiddleware, osler=osler, identify=_identify(wanted.planted_ms / 1000))
    return app


def _identify(planted_seconds: float) -> Any:
    async def subject_of(_: Any) -> str:
        if planted_seconds:
            time.sleep(planted_seconds)  # noqa: ASYNC251 (a middleware that blocks is what is planted)
        return "subject-1"

    return subject_of


def compute(turns: int) -> int:
    """Work that holds the interpreter."""
    total = 0
    for n in range(turns):
        total += n * n
    return total


def client(wanted: Wanted) -> Osler | None:
    """The client with the limits as they are shipped, in the state that is wanted."""
    if wanted.spool is None:
        return None
    spool = Path(wanted.spool)
    options = (
        TrackingOptions(spool=spool, spool_bytes=SPOOL_BYTES) if wanted.queue_full else TrackingOptions(spool=spool)
    )
    osler = Osler(HttpSink(wanted.url, "t"), KEY, options)
    osler.start()
    if wanted.queue_full:
        _fill(osler, options)
    if wanted.disk_full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return osler


def _fill(osler: Osler, options: TrackingOptions) -> None:
    recorder = osler._sender._recorder
    recorder.to_disk()
    spool = recorder.spool
    assert isinstance(spool, Spool)
    note = Queued("note_taken", "u" * 36, b"{" + b" " * 300 + b"}")
    with recorder.disk:
        while spool.size_bytes() < options.spool_bytes - 100_000:
            spool.append([note] * 200, time.time())


async def take(app: FastAPI, requests: int) -> dict[str, Any]:
    """Seconds of each request; processor seconds of this thread, and of the process with tracking's own threads."""
    seconds: list[float] = []
    began_cpu, began_process = time.thread_time(), time.process_time()
    for _ in range(requests):
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
            "path": "/works/7", "raw_path": b"/works/7", "query_string": b"", "root_path": "", "headers": HEADERS,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 443),
        }  # fmt: skip
        began = time.perf_counter()
        await app(scope, _receive, _send)
        seconds.append(time.perf_counter() - began)
    return {
        "seconds": seconds,
        "cpu": time.thread_time() - began_cpu,
        "process": time.process_time() - began_process,
    }


async def serve(app: FastAPI) -> None:
    """Serve on a free port, say which, and say for each line that comes how much processor time it took so far."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    serving = asyncio.ensure_future(server.serve())
    print(json.dumps({"port": port}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps({"cpu": time.thread_time(), "process": time.process_time()}), flush=True)
    server.stop()
    await serving


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Any) -> None:
    if message["type"] == "http.response.start" and message["status"] != 200:
        msg = f"the host answered {message['status']}"
        raise AssertionError(msg)


def go_first() -> bool:
    """Before whatever else this machine does, if the system lets us: what is measured is a host, not its neighbours."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError):
        return False
    return True


async def main() -> None:
    """Take what is asked for until there is no more, then say what became of the events."""
    wanted = msgspec.json.decode(sys.argv[1], type=Wanted)
    is_first = go_first()
    osler = client(wanted)
    app = application(wanted, osler)
    print(json.dumps({"is_first": is_first}), flush=True)
    if wanted.served:
        await serve(app)
    for line in sys.stdin:
        print(json.dumps(await take(app, int(line))), flush=True)
    if osler is not None:
        counts = osler.counts
        print(json.dumps({
            "delivered": counts.delivered, "failures": counts.failures, "disk_failures": counts.disk_failures,
            "dropped": counts.dropped.total(), "refused": dict(osler.refused),
        }), flush=True)  # fmt: skip
        osler.close()


if __name__ == "__main__":
    asyncio.run(main())
