"""Starts Debian's PostgreSQL 15 (the promised minimum) on a private socket and runs a command against it.

    python tests/support/postgresql15.py .venv/bin/pytest -q -m integration

The command sees `OSLER_TEST_DATABASE_URL`. As root the server runs as `postgres` or `nobody`. Everything lies in one
temporary folder that is removed at the end. `--bin FOLDER` takes another PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import pwd
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "", "unix_socket_permissions": "0777", "fsync": "off", "full_page_writes": "off",
    "max_connections": "100", "shared_buffers": "128MB", "max_locks_per_transaction": "256", "timezone": "UTC",
    "jit": "off",
}  # fmt: skip


def _spawn_as_unprivileged(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, account.pw_uid, account.pw_gid)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    sys.exit("neither postgres nor nobody exists")


@contextmanager
def running(programs: Path = DEBIAN, **more: str) -> Iterator[str]:
    """A superuser's URL of a fresh server, gone at the end. `more` are settings of the server, over ours."""
    with tempfile.TemporaryDirectory(prefix="osler-pg15-") as made:
        folder = Path(made)
        spawn = _spawn_as_unprivileged(folder)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        password = secrets.token_urlsafe(12)
        secret = folder / "password"
        secret.write_text(password)
        if spawn:
            os.chown(secret, spawn["user"], spawn["group"])
        order = [
            str(programs / "initdb"), "-D", str(folder / "data"), "-U", "osler_test", "-A", "scram-sha-256",
            "--pwfile", str(secret), "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--data-checksums",
        ]  # fmt: skip
        subprocess.run(order, check=True, stdout=subprocess.DEVNULL, env=environment, cwd="/", **spawn)
        options = [part for name, value in {**SETTINGS, **more}.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options],
                stdout=log, stderr=subprocess.STDOUT, env=environment, cwd="/", **spawn,
            )  # fmt: skip
        try:
            _wait(folder, server)
            yield f"postgresql://osler_test:{password}@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def _wait(folder: Path, server: subprocess.Popen[Any]) -> None:
    for _ in range(1000):
        pid_file = folder / "data" / "postmaster.pid"
        if pid_file.exists() and "ready" in pid_file.read_text():
            return
        if server.poll() is not None:
            break
        time.sleep(0.02)
    sys.exit((folder / "log").read_text()[-2000:])


def main() -> int:
    """Run the command given after the options; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=DEBIAN, help="folder with initdb and postgres")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not (options.bin / "postgres").exists():
        sys.exit(f"no PostgreSQL in {options.bin}; on Debian: sudo apt-get install -y postgresql-15")
    with running(options.bin) as url:
        return subprocess.run(
            options.command, env={**os.environ, "OSLER_TEST_DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
