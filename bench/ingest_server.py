"""What the ingestion bench runs on: a server of its own, the service beside it, batches to send, rows to COPY."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil

from osler import clock
from osler.db.connect import connect_plainly
from osler.db.embedded import Embedded
from osler.db.migrate import migrate
from osler.domain.clock_rules import instant_of
from osler.domain.identity import new_event_id
from osler.http.auth import open_local_issuer
from osler.http.policy import Role
from osler.settings import Settings, load_settings

BATCH = 500
CONNECTIONS = 4
BATCHES_A_ROUND = 80
COPIES = 3
"""COPY is so quick that its processor time needs more rows to be told from a tick of the clock."""
LEARNERS_A_ROUND = 8
SERVER = """
import asyncio, sys
from contextlib import asynccontextmanager
from osler.api import app as application, following
from osler.api.server import serve
from osler.ingest import rates
from osler.settings import load_settings

rates.LEARNERS_AN_ADDRESS = 1_000_000  # all that is measured comes from one address: counted, and never over

@asynccontextmanager
async def not_followed(self, *parts):
    yield

if sys.argv[2] == "alone":
    following.Following.open = not_followed
settings = load_settings()
asyncio.run(serve(application.create_app(settings), settings, int(sys.argv[1])))
"""
Body = tuple[str, bytes]


class Bench:
    """A server of our own, its processes, and connections to it."""

    def __init__(self, settings: Settings, port: int, app: psutil.Process, postmaster: psutil.Process) -> None:
        self.settings = settings
        self.port = port
        self.app = app
        self.postmaster = postmaster
        self.copiers: list[Any] = []  # asyncpg's connections, whose own types are incomplete
        self.lines: list[bytes] = []

    def cpu(self) -> tuple[float, float]:
        """Processor seconds so far of the application and of all of PostgreSQL."""
        servers = [self.postmaster, *self.postmaster.children(recursive=True)]
        return _seconds([self.app, *self.app.children(recursive=True)]), _seconds(servers)

    async def send(self, bodies: list[Body], connections: int = CONNECTIONS) -> list[dict[str, int]]:
        """POST every body over that many connections; the counts of each answer."""
        queue, counts = list(reversed(bodies)), list[dict[str, int]]()

        async def one() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while queue:
                token, body = queue.pop()
                head = (
                    f"POST /api/events/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                counts.append(json.loads(await _answer(reader))["counts"])
            writer.close()

        await asyncio.gather(*(one() for _ in range(connections)))
        return counts

    def chunks(self, size: int = BATCH, rows: int = BATCH * BATCHES_A_ROUND) -> list[bytes]:
        """That many rows as COPY writes them, `size` in each chunk: made before anything is timed."""
        one_round = [b"".join(self.lines[n : n + size]) for n in range(0, min(rows, len(self.lines)), size)]
        return one_round * (rows // (size * len(one_round)))

    async def copy(self, chunks: list[bytes], connections: int = CONNECTIONS) -> None:
        """COPY the chunks into the bare table, a COMMIT for each."""
        chunks = list(chunks)

        async def one(connection: Any) -> None:
            while chunks:
                await connection.copy_to_table("bare_events", source=_Once(chunks.pop()), format="text")

        await asyncio.gather(*(one(connection) for connection in self.copiers[:connections]))


class _Once:
    """Bytes as asyncpg wants to read them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, _size: int) -> bytes:
        """Everything, then nothing."""
        content, self._content = self._content, b""
        return content


def _seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        msg = (head + await reader.read(2000)).decode(errors="replace")
        raise RuntimeError(msg)
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return await reader.readexactly(int(lengths[0]))


def event(ms: int, n: int, user: UUID | None = None, session: str | None = None) -> dict[str, Any]:
    """An answer like those of a question bank: the densest type, with a row in both tables."""
    made = {
        "id": str(new_event_id(ms)),
        "type": "question_submit",
        "schema": 1,
        "occurred_at": instant_of(ms * 1000).isoformat(timespec="milliseconds"),
        "tz": "UTC",
        "data": {
            "question_id": f"q-{n % 2000}", "answer": ["ABCDE"[n % 5]], "time_to_answer_seconds": 20 + n % 90 + 0.5,
            "mode": "timed", "confidence": 1 + n % 5,
        },
    }  # fmt: skip
    if session:
        made["session_id"] = session
    if user:
        made["user_id"] = str(user)
    return made


def bodies(settings: Settings, count: int, *, bad: bool = False) -> list[Body]:
    """Batches of a few learners, each learner's in one token."""
    issuer = open_local_issuer(settings)
    users = [uuid4() for _ in range(LEARNERS_A_ROUND)]
    tokens = [_token(issuer, user, Role.LEARNER, "events:write") for user in users]
    made: list[Body] = []
    for n in range(count):
        base = clock.unix_ms() - 3_600_000 + n * 1000
        events = [event(base + place * 2, place) for place in range(BATCH)]
        if bad:
            events[BATCH // 2]["data"]["confidence"] = 9
        made.append((tokens[n % LEARNERS_A_ROUND], body_of(events)))
    return made


def mixed(settings: Settings, count: int) -> list[Body]:
    """Batches of a service, each of 200 learners."""
    token = _token(open_local_issuer(settings), uuid4(), Role.SERVICE_INGEST, "events:write:any", "users:create")
    users = [uuid4() for _ in range(200)]
    made: list[Body] = []
    for n in range(count):
        base = clock.unix_ms() - 3_600_000 + n * 1000
        made.append((token, body_of([event(base + p * 2, p, users[p % 200]) for p in range(BATCH)])))
    return made


def body_of(events: list[dict[str, Any]]) -> bytes:
    sent = instant_of(clock.unix_ms() * 1000).isoformat(timespec="milliseconds")
    return json.dumps({"sent_at": sent, "device_id": "bench", "events": events}, separators=(",", ":")).encode()


def _token(issuer: Any, user: UUID, role: Role, *scopes: str) -> str:
    return issuer.sign(user, roles=[role], scopes=scopes, issued_at=clock.now(), lifetime=timedelta(hours=1))


@asynccontextmanager
async def running() -> AsyncGenerator[Bench]:
    """Our own server with everything durable, and the application in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="osler-bench-") as folder:
        home = Path(folder)
        embedded = Embedded.start(load_settings(home=home))
        urls = embedded.urls()
        settings = load_settings(home=home, database_url=urls.app, owner_database_url=urls.owner)
        try:
            await migrate(settings)
            async with application(settings, "alone") as (port, app):
                pid = int(await asyncio.to_thread(_postmaster, urls.admin))
                bench = Bench(settings, port, app, psutil.Process(pid))
                bench.copiers = [await connect_plainly(urls.admin) for _ in range(CONNECTIONS)]
                await _prepare(bench)
                yield bench
        finally:
            embedded.close()
            embedded.wait_until_stopped()


@asynccontextmanager
async def application(settings: Settings, how: str) -> AsyncGenerator[tuple[int, psutil.Process]]:
    """The service in a process of its own: `alone`, or `followed` by the fold; its port and its process."""
    port, url = _free_port(), settings.database_url
    assert url is not None
    environment = os.environ | {
        "OSLER_HOME": str(settings.home), "OSLER_DATABASE_URL": url.get_secret_value(),
        "OSLER_RATE_PER_MINUTE": "1000000", "OSLER_RATE_ADDRESS_PER_MINUTE": "1000000", "OSLER_LOG_LEVEL": "ERROR",
    }  # fmt: skip
    command = [sys.executable, "-c", SERVER, str(port), how]
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr)  # noqa: ASYNC220 (before anything is measured)
    try:
        await _ready(port)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postmaster(url: str) -> int:
    async def ask() -> int:
        connection: Any = await connect_plainly(url)
        try:
            backend = psutil.Process(connection.get_server_pid())
            return backend.ppid()
        finally:
            await connection.close()

    return asyncio.run(ask())


async def _ready(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await asyncio.sleep(1)
        return
    raise TimeoutError


async def _prepare(bench: Bench) -> None:
    """Warm the application up, and keep what it stored as the lines that COPY writes."""
    await bench.send(bodies(bench.settings, BATCHES_A_ROUND))
    copier = bench.copiers[0]
    await copier.execute("create table bare_events as select * from study_events limit 0")
    chunks: list[bytes] = []

    async def keep(data: bytes) -> None:
        chunks.append(bytes(data))

    await copier.copy_from_query("select * from study_events", output=keep, format="text")
    bench.lines = b"".join(chunks).splitlines(keepends=True)
    await bench.copy(bench.chunks())


async def timed(bench: Bench, work: Callable[[], Awaitable[Any]]) -> tuple[float, float, float]:
    """Seconds, application's and PostgreSQL's processor seconds of some work."""
    app, server = bench.cpu()
    began = time.perf_counter()
    await work()
    seconds = time.perf_counter() - began
    app_after, server_after = bench.cpu()
    return seconds, app_after - app, server_after - server


async def meet(bench: Bench, made: list[Body]) -> None:
    """Let the application verify each token once: signing in is not what is measured."""
    one = body_of([event(clock.unix_ms(), 0, uuid4())])
    for token in dict.fromkeys(token for token, _ in made):
        await bench.send([(token, one)])
