"""The whole service as a process that may be killed: imported once and forked, so that a start is quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from osler.api.server import free_port
from osler.settings import Settings

SOURCES = Path(__file__).resolve().parents[2] / "src"

NURSERY = """
import asyncio, json, os, sys
import osler.cli.serve, osler.api.app, osler.db.migrate
from osler.settings import load_settings
print("born", flush=True)
for line in sys.stdin:
    wanted = json.loads(line)
    pid = os.fork()
    if pid == 0:
        asyncio.run(osler.cli.serve.serve(load_settings(**wanted), with_jobs=False))
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Service:
    """One service at a time on one port. `settings` are those of `osler serve`, as JSON values."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.port = free_port("127.0.0.1", 0)
        self.pid = 0
        self._settings = {"profile": "test", "log_json": True, "port": self.port, **settings}
        self.log = folder / "service.log"
        with self.log.open("a") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, "PYTHONPATH": str(SOURCES), "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
        assert self._line() == "born"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **more: Any) -> int:
        """Start it and wait until it answers; `more` settings count for this start alone. The process id."""
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps({**self._settings, **more}) + "\n")
        self._nursery.stdin.flush()
        self.pid = int(self._line())
        assert "is ready at" in self._line(), self.log.read_text()
        return self.pid

    def wait(self) -> int:
        """Until it has ended: its exit status, negative for a signal."""
        status = int(self._line())
        self.pid = 0
        return status

    def kill(self) -> int:
        """As `kill -9` does."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def close(self) -> None:
        """Leave no process behind."""
        if self.pid:
            self.kill()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait(10)
        self._nursery.stdout.close()

    def _line(self) -> str:
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()


def as_json(settings: Settings) -> dict[str, Any]:
    """What a process on the same database and home needs to know."""
    given = {"home": str(settings.home)}
    for name in ("database_url", "owner_database_url", "eraser_database_url"):
        secret = getattr(settings, name)
        if secret is not None:
            given[name] = secret.get_secret_value()
    return given


def wait_until(holds: Any, seconds: float) -> float:
    """Wait for something; how long it took. Fails when it does not come about."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began
