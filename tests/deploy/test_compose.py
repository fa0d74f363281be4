"""deploy/compose.yaml, as far as it can be tried without a container engine: its words, and a rehearsal without walls.

The rehearsal runs what each service would run, with the environment that the file gives it, on a real PostgreSQL and a
real Redis behind sockets; only folders and ports are others.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from tests.support.postgresql15 import DEBIAN
from tests.support.postgresql15 import running as postgresql
from tests.support.redis_server import RedisServer

from osler.api.server import free_port
from osler.cli.main import app
from osler.settings import ENV_PREFIX, Settings

FOLDER = Path(__file__).parents[2] / "deploy"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "osler:local"]
ISSUER = {"OSLER_ISSUER": "https://id.example", "OSLER_JWKS_URL": "https://id.example/keys"}


def test_every_setting_and_every_command_in_it_exists() -> None:
    assert OURS == ["migrate", "serve", "worker", "scheduler"]
    commands = typer.main.get_command(app).list_commands(None)  # type: ignore[attr-defined]
    for name in OURS:
        assert SERVICES[name]["command"][0] in commands
        asked = {each.removeprefix(ENV_PREFIX).lower() for each in SERVICES[name]["environment"]}
        assert asked <= set(Settings.model_fields), name


def test_every_variable_it_asks_for_is_in_the_example_and_no_secret_is() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    lines = (FOLDER / "example.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert asked == set(given)
    assert not any(given.values())


def test_what_it_mounts_waits_for_and_scrapes_is_there() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).is_file(), (name, source)
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    scraped = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    targets = {target for job in scraped for each in job["static_configs"] for target in each["targets"]}
    port = SERVICES["serve"]["environment"]["OSLER_METRICS_PORT"]
    assert targets == {f"{name}:{port}" for name in OURS if name != "migrate"}


def test_only_the_process_that_erases_and_retains_holds_those_credentials() -> None:
    holders = [name for name in OURS if "OSLER_ERASER_DATABASE_URL" in SERVICES[name]["environment"]]
    assert holders == ["migrate", "worker"]
    assert all(str(port).startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", []))


class Rehearsal:
    """Runs what the services would run, with their environments, in folders of the test."""

    def __init__(self, folder: Path, sockets: Path, redis: RedisServer, passwords: dict[str, str]) -> None:
        self._folder = folder
        self._given = {**passwords, **ISSUER}
        self._places = {
            "/var/run/postgresql": str(sockets),
            "/run/redis/redis.sock": redis.url.removeprefix("unix://"),
            "/data/redis.sock": redis.url.removeprefix("unix://"),
            "/var/lib/osler": str(folder / "home"),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def environment(self, service: str, **more: str) -> dict[str, str]:
        found = {name: self._filled(str(value)) for name, value in SERVICES[service]["environment"].items()}
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **found, "OSLER_HOST": "127.0.0.1", **more}

    def run(self, service: str, *command: str) -> str:
        """Run a command to its end; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "osler", *command],
            env=self.environment(service), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, service: str, *options: str) -> int:
        """Start a service; the port of its metrics."""
        port = free_port("127.0.0.1", 0)
        environment = self.environment(service, OSLER_METRICS_HOST="127.0.0.1", OSLER_METRICS_PORT=str(port))
        command = [sys.executable, "-m", "osler", *SERVICES[service]["command"], *options]
        with (self._folder / f"{service}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return port

    def healthy(self, service: str, port: int = 0) -> subprocess.CompletedProcess[str]:
        """What the engine would run to see whether the service is well, in the places of the rehearsal."""
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        words = [self._here(word.replace("$$", "$").replace(":8000/", f":{port}/")) for word in words]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        given = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        inside = {"PGHOST": self._here("/var/run/postgresql"), **self._given} if service == "postgres" else {}
        return subprocess.run(command, env={**given, **inside}, capture_output=True, text=True, check=False, timeout=60)

    def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait(5)

    def until(self, url: str, pattern: str) -> None:
        end, text = time.monotonic() + 300, ""  # nobody waits for it on a machine that is quick
        while time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
                text = answer.read().decode()
                if re.search(pattern, text, re.M):
                    return
            time.sleep(0.3)
        logs = "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in self._folder.glob("*.log"))
        raise AssertionError(f"{pattern} did not come from {url}\n{text[-500:]}\n{logs}")

    def _here(self, value: str) -> str:
        for place, here in self._places.items():
            value = value.replace(place, here)
        return value

    def _filled(self, value: str) -> str:
        found = re.compile(r"\$\{(\w+)(?::[?-][^}]*)?\}")
        filled = found.sub(lambda named: self._given.get(named[1], ""), self._here(value))
        assert "$" not in filled
        return filled


@contextmanager
def rehearsing(folder: Path, redis: RedisServer) -> Iterator[Rehearsal]:
    """A server whose roles were made by the file that the container would run."""
    passwords = {f"OSLER_{who}_PASSWORD": secrets.token_hex(8) for who in ("APP", "MIGRATOR", "ERASER")}
    with postgresql(fsync="on", full_page_writes="on") as url:
        roles = FOLDER / "postgres" / "10-roles.sql"
        command = [str(DEBIAN / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", str(roles), url]
        subprocess.run(command, env={**os.environ, **passwords}, check=True, stdout=subprocess.DEVNULL)
        made = Rehearsal(folder, Path(url.split("host=")[1]), redis, passwords)
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.integration
@pytest.mark.slow
def test_a_rehearsal_of_all_services_comes_up_and_runs_a_night(redis_server: RedisServer, tmp_path: Path) -> None:
    if not (DEBIAN / "psql").exists():
        sentence = "PostgreSQL 15 is not installed: `apt-get install postgresql-15` lifts this"
        pytest.fail(sentence) if os.environ.get("OSLER_REQUIRE_ALL") else pytest.skip(sentence)
    with rehearsing(tmp_path, redis_server) as rehearsal:
        rehearsal.run("migrate", "migrate")
        assert rehearsal.run("worker", "doctor")
        api = free_port("127.0.0.1", 0)
        rehearsal.start("serve", "--port", str(api))
        rehearsal.until(f"http://127.0.0.1:{api}/api/health/ready", "ready")
        for service in ("postgres", "redis", "serve"):
            found = rehearsal.healthy(service, api)
            assert found.returncode == 0, (service, found.stdout, found.stderr)
        assert rehearsal.healthy("serve", free_port("127.0.0.1", 0)).returncode != 0, "unknown: it says yes to anything"
        ringing = rehearsal.start("scheduler", "--every", "2")
        working = rehearsal.start("worker")
        for port in (ringing, working):
            url = f"http://127.0.0.1:{port}/metrics"
            rehearsal.until(url, r'^osler_job_runs_total\{job_name="retention",status="succeeded"\} [1-9]')
