"""Applications that use an embedded server, as processes of their own: to be killed, paused and counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parents[2] / "src"

APPLICATION = """
import asyncio, json, sys
from osler.db.connect import connect_plainly
from osler.db.embedded import Embedded
from osler.errors import OslerError
from osler.settings import load_settings

async def ask(url, query):
    connection = await connect_plainly(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()

settings = load_settings(**json.loads(sys.argv[1]))
try:
    embedded = Embedded.start(settings)
except OslerError as refused:
    print(json.dumps({"refused": refused.text, "code": refused.code}), flush=True)
    sys.exit(1)
print(json.dumps({"made": embedded.made, "pid": embedded.place.read_state()["pid"]}), flush=True)
for line in sys.stdin:
    try:
        answer = asyncio.run(ask(embedded.urls().admin, line))
        print(json.dumps({"answer": answer}, default=str), flush=True)
    except Exception as failed:
        print(json.dumps({"failed": type(failed).__name__}), flush=True)
"""


@dataclass
class Application:
    """A process that uses the server until it ends. Send it SQL, get the first value."""

    process: subprocess.Popen[str]
    hello: dict[str, Any] = field(default_factory=dict)

    def wait(self, timeout_seconds: float = 60) -> dict[str, Any]:
        """Its first line: whether it made the cluster, or why it was refused."""
        if not self.hello:
            self.hello = json.loads(_line(self.process, timeout_seconds))
        return self.hello

    def ask(self, query: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(query.replace("\n", " ") + "\n")
        self.process.stdin.flush()
        told = json.loads(_line(self.process, 30))
        if "failed" in told:
            raise ConnectionError(told["failed"])
        return told["answer"]

    def kill(self) -> None:
        """As `kill -9` does: nothing of it gets to say good-bye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        assert self.process.returncode == -signal.SIGKILL

    def end(self) -> None:
        """Kill it if it lives, and close what we hold of it."""
        self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def leave(self) -> None:
        """End in good order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def _line(process: subprocess.Popen[str], timeout_seconds: float) -> str:
    import select

    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], timeout_seconds)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        process.wait(10)
        message = f"the application said nothing: {process.stderr.read() if process.stderr else ''}"
        raise AssertionError(message)
    return line


@dataclass
class Home:
    """A home folder with its embedded server, and everything that was started on it."""

    path: Path
    options: dict[str, Any] = field(default_factory=dict)
    started: list[Application] = field(default_factory=list)
    path_before: list[str] = field(default_factory=list)
    path_after: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.path / "postgresql"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.root / "state.json").read_text())

    def settings(self) -> dict[str, Any]:
        return {
            "home": str(self.path), "profile": "test", "embedded_fsync": False, "embedded_shared_buffers": "32MB",
            "embedded_linger_seconds": 0.2, **self.options,
        }  # fmt: skip

    def application(self, *, prefix: tuple[str, ...] = (), python: str = sys.executable, **more: Any) -> Application:
        """Start an application; does not wait for it."""
        process = self.process(APPLICATION, prefix=prefix, python=python, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # fmt: skip
        self.started.append(Application(process))
        return self.started[-1]

    def process(
        self, code: str, *, prefix: tuple[str, ...] = (), python: str = sys.executable, **more: Any
    ) -> subprocess.Popen[str]:
        """A process of this home that runs `code`, with the settings as JSON for its argument."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([*self.path_before, str(SOURCES), *self.path_after]),
            "HOME": str(self.path.parent),
        }
        command = [*prefix, python, "-W", "error", "-c", code, json.dumps(self.settings())]
        return subprocess.Popen(command, text=True, env=environment, **more)

    def is_running(self) -> bool:
        """Whether any process works inside the data folder."""
        return bool(processes_in(self.data))

    def clean_up(self) -> None:
        """End every application; the server then stops by itself."""
        for application in self.started:
            application.end()
        assert within(15, lambda: not self.is_running()), "the server outlived its last user"


def processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder: the postmaster and its backends."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if Path(os.readlink(entry / "cwd")) == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether something comes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
