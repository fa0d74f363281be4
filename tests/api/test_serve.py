"""`osler serve` as its user sees it: a line when it is ready; a taken port is an error; Ctrl-C and kill -9 are fine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from osler.api.server import free_port
from osler.errors import Misconfigured
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.acceptance]

COMMAND = "import typer; from osler.cli.serve import command; typer.run(command)"


class Served:
    """Processes of `osler serve` on the test's database."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.port = free_port("127.0.0.1", 0)
        self._environment = {
            **os.environ,
            "OSLER_HOME": str(settings.home),
            "OSLER_PROFILE": "test",
            "OSLER_DATABASE_URL": settings.database_url.get_secret_value() if settings.database_url else "",
        }
        self._log = folder / "serve.log"
        self.processes: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "--port", str(self.port), "--no-jobs"],
                env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Osler is ready at http://127.0.0.1:{self.port}\n", self._log.read_text()


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> Iterator[Served]:
    made = Served(settings, tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def test_it_says_when_it_is_ready_and_survives_kill_9_and_stops_on_ctrl_c(served: Served) -> None:
    first = served.start()
    served.until_ready(first)
    answer = httpx.get(f"http://127.0.0.1:{served.port}/api/me", trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["server"] == ""
    first.kill()
    assert first.wait(10) == -signal.SIGKILL

    second = served.start()
    served.until_ready(second)
    second.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert second.wait(15) == 0
    assert time.monotonic() - began < 10


def test_a_taken_port_is_an_error_before_anything_is_opened(settings: Settings) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(Misconfigured, match="is taken: choose another with --port"):
            free_port("127.0.0.1", holder.getsockname()[1])
