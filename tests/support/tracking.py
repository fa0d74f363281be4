"""An Osler for tests of the tracking library: a real HTTP server that behaves, or misbehaves as it is told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from osler.tracking import HttpSink, Osler, TrackingOptions

KEY = b"a key of the tests, long enough"
Behaviour = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Reads a batch and answers as the server's script says."""

    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  (socketserver's own way to say which)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        envelope = json.loads(raw)
        with self.server.guard:
            self.server.wire.append(raw + self.headers.as_bytes())
            self.server.envelopes.append(envelope)
            behave = self.server.script.pop(0) if self.server.script else self.server.otherwise
        behave(self, envelope)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the base)
        """Quiet."""


class Server(ThreadingHTTPServer):
    """What was sent (`envelopes`, `wire`), what was taken (`stored` by id), and what to do next (`script`)."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(address, Handler)
        self.tls = tls
        self.guard = threading.Lock()
        self.envelopes: list[dict[str, Any]] = []
        self.wire: list[bytes] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.duplicates = 0
        self.script: list[Behaviour] = []
        self.otherwise: Behaviour = take
        self.hanging = threading.Event()

    @property
    def url(self) -> str:
        port = self.server_address[1]
        return f"http://127.0.0.1:{port}" if self.tls is None else f"https://localhost:{port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a handshake that never ends must hold up nobody else."""
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def types(self) -> list[str]:
        return [event["type"] for event in self.stored.values()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are what these tests are about."""


def store(server: Server, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Store events as Osler does, by their id."""
    results: list[dict[str, Any]] = []
    with server.guard:
        for index, event in enumerate(events):
            status = "duplicate" if event["id"] in server.stored else "accepted"
            server.duplicates += status == "duplicate"
            server.stored[event["id"]] = event
            results.append({"index": index, "id": event["id"], "status": status, "warnings": []})
    return results


def take(handler: Handler, envelope: dict[str, Any]) -> None:
    """Answer as Osler does."""
    results = store(handler.server, envelope["events"])
    handler.answer(200, json.dumps({"received_at": "", "counts": {}, "results": results}).encode())


def says(status: int, body: bytes = b"{}", **headers: str) -> Behaviour:
    """Answer that, and store nothing."""
    return lambda handler, _: handler.answer(status, body, **headers)


def verdicts(status: str, code: str | None = None, **more: Any) -> Behaviour:
    """Give every event this verdict, and store nothing."""

    def behave(handler: Handler, envelope: dict[str, Any]) -> None:
        results = [
            {"index": n, "id": e["id"], "status": status, "code": code, **more}
            for n, e in enumerate(envelope["events"])
        ]
        handler.answer(200, json.dumps({"results": results}).encode())

    return behave


def hang(handler: Handler, _: dict[str, Any]) -> None:
    """Read the request and say nothing."""
    handler.server.hanging.set()
    time.sleep(30)


def drip(handler: Handler, _: dict[str, Any]) -> None:
    """One byte of a header now and then: no time-out between bytes ever fires."""
    handler.server.hanging.set()
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 200:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.15)


def cut(handler: Handler, envelope: dict[str, Any]) -> None:
    """Store everything, and lose the second half of the answer."""
    body = json.dumps({"results": store(handler.server, envelope["events"])}).encode()
    handler.answer(200, body[: len(body) // 2])


def half_of_the_results(handler: Handler, envelope: dict[str, Any]) -> None:
    """Store and answer every second event alone."""
    events = envelope["events"]
    results = store(handler.server, events[::2])
    for n, result in enumerate(results):
        result["index"] = 2 * n
    handler.answer(200, json.dumps({"results": results}).encode())


@contextmanager
def listening(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a free port, or on one that was free."""
    server = Server(("127.0.0.1", port), tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def options(folder: Path, **more: Any) -> TrackingOptions:
    """The shipped limits, with times that a test can wait for."""
    quick: dict[str, Any] = {
        "spool": folder / "spool", "flush_seconds": 0.05, "send_seconds": 0.05,
        "backoff_first_seconds": 0.05, "backoff_most_seconds": 0.3,
        "absent_most_seconds": 0.2, "total_seconds": 1.0,
    }  # fmt: skip
    return TrackingOptions(**{**quick, **more})


@contextmanager
def tracking(url: str, folder: Path, **more: Any) -> Iterator[Osler]:
    """A client of that server, closed afterwards."""
    chosen = options(folder, **more)
    sink = HttpSink(url, "a-token", connect_seconds=chosen.connect_seconds, total_seconds=chosen.total_seconds)
    osler = Osler(sink, KEY, chosen)
    try:
        yield osler
    finally:
        osler.close()


def note(osler: Osler, number: int, user: str = "subject-1") -> bool:
    """Track one note, told apart by its number."""
    return osler.events.note_taken(
        user=user, note_id=f"n{number}", action="create", length_chars=number % 100, material_id="m1"
    )


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for something; whether it came about."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def everything_under(folder: Path) -> bytes:
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
