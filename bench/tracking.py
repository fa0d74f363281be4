"""What does tracking cost its host? Enqueueing in microseconds, and the host's p95 as a ratio to the untracked one.

Rounds are interleaved, so that a busy machine slows both sides; the ratio is the median of the rounds' ratios. Osler
is a small HTTP server that takes everything, refuses, or hangs. Run: `python bench/tracking.py [--json] [--rounds N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from osler.tracking import HttpSink, Osler, TrackingMiddleware, TrackingOptions

REQUESTS = 500
WORK_SECONDS = 0.002
DATA = {"route": "/x/{id}", "method": "GET", "status": 200, "duration_ms": 3, "client": "Other"}


class Taking(BaseHTTPRequestHandler):
    """Accepts every event, or hangs."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a batch."""
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["events"]
        if getattr(self.server, "hangs", False):
            time.sleep(3600)
        results = [{"index": n, "id": event["id"], "status": "accepted"} for n, event in enumerate(events)]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the base)
        """Quiet."""


@contextmanager
def client(what: str) -> Iterator[Osler]:
    """A client of an Osler that is `up`, `refusing` or `hanging`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    server.hangs = what == "hanging"  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{server.server_address[1]}"
    if what == "refusing":
        server.server_close()
    else:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        osler = Osler(HttpSink(url, "t"), b"a key of the bench", TrackingOptions(spool=Path(folder)))
        osler.start()
        try:
            yield osler
        finally:
            osler.close()
            if what != "refusing":
                server.shutdown()
                server.server_close()


def host(osler: Osler | None) -> Starlette:
    """A host that waits two milliseconds, as for a database."""

    async def works(_: Any) -> JSONResponse:
        await asyncio.sleep(WORK_SECONDS)
        return JSONResponse({})

    app = Starlette(routes=[Route("/works/{id}", works)])
    if osler is not None:
        app.add_middleware(TrackingMiddleware, osler=osler, identify=lambda _: "subject-1")
    return app


async def took(app: Starlette) -> list[float]:
    """Milliseconds of each request, one after the other."""
    scope = {"type": "http", "method": "GET", "path": "/works/7", "raw_path": b"/works/7", "query_string": b"",
             "headers": [(b"user-agent", b"bench")], "root_path": "", "scheme": "http", "http_version": "1.1",
             "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return

    times: list[float] = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        await app(dict(scope), receive, send)
        times.append((time.perf_counter() - began) * 1000)
    return times


async def host_ratio(what: str, rounds: int) -> dict[str, Any]:
    """The tracked host's p95 over the untracked one's."""
    with client(what) as osler:
        apps = {"untracked": host(None), "tracked": host(osler)}
        for app in apps.values():
            await took(app)
        ratios: list[float] = []
        p95s: dict[str, list[float]] = {name: [] for name in apps}
        for n in range(rounds):
            for name in sorted(apps, reverse=bool(n % 2)):
                p95s[name].append(statistics.quantiles(await took(apps[name]), n=20)[-1])
            ratios.append(p95s["tracked"][-1] / p95s["untracked"][-1])
        return {
            "ratio": round(statistics.median(ratios), 3), "target": 1.05, "runs": [round(r, 3) for r in ratios],
            "p95_ms": round(statistics.median(p95s["tracked"]), 3),
            "beside": f"the same host untracked, p95 {statistics.median(p95s['untracked']):.3f} ms",
            "dropped": osler.counts.dropped.total(), "failures": osler.counts.failures,
        }  # fmt: skip


def enqueue(rounds: int) -> dict[str, Any]:
    """Microseconds of one `track_nowait`."""
    with client("up") as osler:
        p50s: list[float] = []
        p99s: list[float] = []
        for _ in range(rounds):
            times: list[float] = []
            for _ in range(2_000):
                began = time.perf_counter()
                osler.track_nowait("api_request", user="subject-1", data=DATA)
                times.append((time.perf_counter() - began) * 1e6)
            p50s.append(statistics.median(times))
            p99s.append(statistics.quantiles(times, n=100)[-1])
            time.sleep(0.5)
        return {
            "p50_us": round(statistics.median(p50s), 1), "p99_us": round(statistics.median(p99s), 1),
            "target": {"p50_us": 50, "p99_us": 500}, "runs": [round(p, 1) for p in p50s],
        }  # fmt: skip


def main() -> None:
    """Measure and print; progress goes to standard error."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments.add_argument("--rounds", type=int, default=7, help="interleaved rounds, at least 5")
    given = arguments.parse_args()
    rounds = max(5, given.rounds)
    os.environ.setdefault("NO_PROXY", "127.0.0.1")
    found: dict[str, Any] = {"tracking.enqueue": enqueue(rounds)}
    for what in ("up", "refusing", "hanging"):
        print(f"host with Osler {what} …", file=sys.stderr)
        found[f"tracking.host_{what}"] = asyncio.run(host_ratio(what, rounds))
    found["load"] = os.getloadavg()
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
