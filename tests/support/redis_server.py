"""A Redis of one's own for tests: on a socket in a scratch folder, really killed, stopped and filled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import redis


class RedisServer:
    """The server process; `kill`, `hang` and `start` are what the fault rows do to it."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._socket = folder / "redis.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self._socket))

    def start(self, *options: str) -> None:
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [self._program, "--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder),
             "--save", "", "--appendonly", "no", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                with self.client() as client:
                    client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("redis-server did not start")

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone, so that the fault is proved to have happened."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(5)

    def hang(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


def redis_program() -> str:
    """The path of redis-server; skips with a sentence where there is none, fails where every row is required."""
    found = shutil.which("redis-server")
    if found is None:
        sentence = "redis-server is not installed: `apt-get install redis-server` lifts this"
        if os.environ.get("OSLER_REQUIRE_ALL"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
