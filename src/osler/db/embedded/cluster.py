"""The data folder: made whole or not at all, refused when another PostgreSQL made it, and its configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from osler.db.embedded.account import Account
from osler.db.embedded.binaries import Binaries, server_version
from osler.db.embedded.place import Place
from osler.db.embedded.roles import ADMIN, bootstrap_statements, keep_passwords, new_passwords
from osler.errors import Misconfigured

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# One line, and no `trust` anywhere: every role proves itself with its password, over the socket alone.
_ACCESS = "local all all scram-sha-256\n"

_TUNED = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "jit": "off",
    "enable_partitionwise_aggregate": "on",
    "max_locks_per_transaction": "256",  # a learner's log can touch 240 monthly partitions
    "idle_in_transaction_session_timeout": "30s",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # statements may carry what people did; errors name themselves
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
}


def configuration(*, shared_buffers: str, fsync: bool) -> dict[str, str]:
    """What the server is started with. `fsync` off takes full_page_writes along and is for tests alone."""
    switch = "on" if fsync else "off"
    return {
        **_TUNED,
        "shared_buffers": shared_buffers,
        "fsync": switch,
        "full_page_writes": switch,
        "synchronous_commit": "on",
    }


def command(binaries: Binaries, data: Path, account: Account, settings: dict[str, str], port: int) -> list[str]:
    """The server's command line; it holds no secret. The socket folder is the keeper's to add."""
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [binaries.program("postgres"), "-D", seen_from_inside(data, account), "-p", str(port), *options]


def seen_from_inside(data: Path, account: Account) -> str:
    """How the server names its folder. It is started inside of it, so an account that cannot walk there still can run.

    Folders above the data keep their modes: a root user's home stays closed.
    """
    return "/proc/self/cwd" if account.drops and sys.platform.startswith("linux") else str(data)


def make_if_missing(place: Place, binaries: Binaries, account: Account, *, fsync: bool) -> bool:
    """Make the data folder if there is none; whether it was made. Hold the starting lock while calling.

    What a killed maker left behind is removed first. Errors: Misconfigured with the program's own words.
    """
    for left in place.root.glob(".making-*"):
        shutil.rmtree(left, ignore_errors=True)
    if place.data.exists():
        check_version(place.data, binaries)
        return False
    passwords = new_passwords()
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=place.root))
    try:
        account.own(making, 0o700)
        _initdb(making, binaries, account, fsync=fsync)
        _bootstrap(making, binaries, account, passwords)
        (making / "pg_hba.conf").write_text(_ACCESS)
        keep_passwords(place.passwords, passwords)
        making.rename(place.data)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    if fsync:
        _sync_folder(place.root)
    return True


def check_version(data: Path, binaries: Binaries) -> None:
    """Refuse a folder that another major version made; nothing in it is touched.

    Errors: Misconfigured naming both versions and, for an older folder, the way up.
    """
    try:
        found = int((data / "PG_VERSION").read_text())
    except (OSError, ValueError) as failed:
        msg = f"{data} holds no PostgreSQL cluster (PG_VERSION is missing). Move it away, or set OSLER_HOME."
        raise Misconfigured(msg, code="embedded.not_a_cluster") from failed
    if found == binaries.major:
        return
    ours = f"PostgreSQL {binaries.major} ({server_version(binaries)})"
    if found > binaries.major:
        way = "Use the newer Osler that made it, or set OSLER_HOME to another folder."
    else:
        new = data.with_name("data-new")
        way = (
            f"Upgrade it with the programs of both versions: pg_upgrade --old-bindir OLD/bin --new-bindir "
            f"{binaries.root / 'bin'} --old-datadir {data} --new-datadir {new} --username {ADMIN}, "
            "or set OSLER_HOME to another folder."
        )
    msg = f"{data} was made by PostgreSQL {found}; this Osler brings {ours}. {way}"
    raise Misconfigured(msg, code="embedded.version", params={"found": found, "ours": binaries.major})


def _initdb(making: Path, binaries: Binaries, account: Account, *, fsync: bool) -> None:
    order = [
        binaries.program("initdb"),
        "--pgdata", seen_from_inside(making, account),
        "--username", ADMIN,
        "--auth", "reject",
        "--encoding", "UTF8",
        "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
        "--data-checksums",
        "--set", "password_encryption=scram-sha-256",
        *([] if fsync else ["--no-sync"]),
    ]  # fmt: skip
    _run(order, making, account)


def _bootstrap(making: Path, binaries: Binaries, account: Account, passwords: dict[str, str]) -> None:
    """Roles and database, in single-user mode: before the first connection nobody can log in at all."""
    order = [
        binaries.program("postgres"), "--single", "-D", seen_from_inside(making, account),
        "-c", "log_min_error_statement=panic", "postgres",
    ]  # fmt: skip
    statements = [f"ALTER ROLE {ADMIN} PASSWORD '{passwords[ADMIN]}'", *bootstrap_statements(passwords)]
    told = _run(order, making, account, text="".join(f"{line};\n" for line in statements))
    if "ERROR:" in told or "FATAL:" in told:
        msg = f"the roles of a new database could not be made: {told[-800:]}"
        raise Misconfigured(msg, code="embedded.bootstrap")


def _run(order: list[str], inside: Path, account: Account, text: str = "") -> str:
    done = subprocess.run(  # noqa: S603 (our own program, a list, no shell)
        order,
        input=text,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=inside,
        env=ENVIRONMENT,
        check=False,
        **account.spawn_options(),
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-800:]
        msg = f"{Path(order[0]).name} failed in {inside.parent}: {words}"
        raise Misconfigured(msg, code="embedded.initdb")
    return done.stderr


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
