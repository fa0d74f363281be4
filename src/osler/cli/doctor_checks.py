"""What `osler doctor` looks at: each check says what it found and, where something is wrong, what to do."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from osler.settings import ENV_PREFIX, Settings
from osler.tracking.options import CLIENT_VARIABLES

if TYPE_CHECKING:
    from osler.db.driver import Driver

ENOUGH_DISK_BYTES = 2 * 1024**3
MONTHS_AHEAD_ALERT = 2
RECIPE_VARIABLES = {"OSLER_REQUIRE_ALL", "OSLER_SKIP_WEB", "OSLER_CHROMIUM", "OSLER_TEST_DATABASE_URL"}


class State(StrEnum):
    """How a finding stands."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `todo` is empty when nothing is to be done."""

    what: str
    state: State
    found: str
    todo: str = ""


def machine(settings: Settings) -> Iterator[Finding]:
    """Python, home folder, disk, environment."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = sys.version_info >= (3, 11)
    yield Finding("Python", State.OK if good else State.BAD, version, "" if good else "install Python 3.11 or newer")
    yield _home(settings.home)
    yield _disk(settings.home)
    yield _encryption(settings.home)
    known = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(set(os.environ) - known - RECIPE_VARIABLES):
        if name in CLIENT_VARIABLES:
            yield Finding("setting", State.OK, f"{name} is for an application that is tracked; Osler does not read it")
        elif name.startswith(ENV_PREFIX):
            yield Finding("setting", State.WARN, f"{name} is no setting", "docs/reference/settings.md has the names")


def _home(home: Path) -> Finding:
    other = "set OSLER_HOME to a folder that you can write"
    if not home.exists():
        above = _existing(home)
        if not (above.is_dir() and os.access(above, os.W_OK)):
            return Finding("home", State.BAD, f"{home} cannot be made in {above}", other)
        return Finding("home", State.OK, f"{home}, not made yet")
    if not home.is_dir():
        return Finding("home", State.BAD, f"{home} is no folder", other)
    if not os.access(home, os.W_OK):
        return Finding("home", State.BAD, f"{home} is read-only", other)
    return _mode(home, stat.S_IMODE(home.stat().st_mode))


def _mode(home: Path, mode: int) -> Finding:
    if mode & 0o022:
        todo = f"others could replace its files: chmod go= {home}"
        return Finding("home", State.BAD, f"{home} is writable for others (mode {mode:04o})", todo)
    if mode & 0o055:
        todo = f"others on this machine can see into it: chmod go= {home}"
        return Finding("home", State.WARN, f"{home} is open to others (mode {mode:04o})", todo)
    return Finding("home", State.OK, f"{home} (mode {mode:04o})")


def _existing(path: Path) -> Path:
    return next(step for step in (path, *path.parents) if step.exists())


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_existing(home)).free
    enough = free >= ENOUGH_DISK_BYTES
    todo = "" if enough else "free some space: PostgreSQL stops taking events when the disk is full"
    return Finding("disk", State.OK if enough else State.WARN, f"{free / 1024**3:.1f} GiB free", todo)


def _encryption(home: Path) -> Finding:
    """Whether the volume under the home is a dm-crypt device. Other ways to encrypt cannot be seen from here."""
    device = os.stat(_existing(home)).st_dev
    uuid = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    try:
        encrypted = uuid.read_text().startswith("CRYPT-")
    except OSError:
        encrypted = False
    if encrypted:
        return Finding("volume encryption", State.OK, "yes, dm-crypt")
    todo = "an application cannot see or do this: make sure that the volume and its backups are encrypted"
    return Finding("volume encryption", State.UNKNOWN, "unknown", todo)


def programs(settings: Settings) -> Iterator[Finding]:
    """The embedded server's programs and account; nothing is started or made."""
    from osler.db.embedded.account import server_account
    from osler.db.embedded.binaries import server_version, wheel_binaries
    from osler.errors import Misconfigured

    try:
        account, binaries = server_account(settings.embedded_account), wheel_binaries()
    except Misconfigured as failed:
        yield Finding("embedded PostgreSQL", State.BAD, failed.text, "or set OSLER_DATABASE_URL")
        return
    runs_as = f", runs as {account.name}" if account.drops else ""
    yield Finding("embedded PostgreSQL", State.OK, f"{server_version(binaries)} from {binaries.root}{runs_as}")


async def server(connection: Driver, settings: Settings) -> list[Finding]:
    """Version, durability, role, schema, partitions of the database that the application uses."""
    from osler.db import start_checks

    facts = await start_checks.facts(connection)
    wrong = start_checks.server_problems(facts, settings)
    durable = [Finding("PostgreSQL", State.BAD, problem, "see docs/how-to/run-on-postgresql.md") for problem in wrong]
    fine = [Finding("PostgreSQL", State.OK, f"{facts['version']}, durable, UTC")]
    return [*(durable or fine), await _role(connection), await _schema(connection), *await _partitions(connection)]


async def _role(connection: Driver) -> Finding:
    row = await connection.fetchrow(
        "select current_user::text as name, rolsuper as is_super, "
        "exists (select from pg_roles where rolname = 'osler_app') as has_app, "
        "case when exists (select from pg_roles where rolname = 'osler_app') "
        "     then pg_has_role(current_user, 'osler_app', 'member') end as is_app "
        "from pg_roles where rolname = current_user"
    )
    name = row["name"] if row else "unknown"
    if row is None or row["is_super"]:
        todo = "log in as osler_app or a member of it: a superuser passes every guard of the log"
        return Finding("role", State.BAD, f"{name} is a superuser", todo)
    if not row["has_app"]:
        return Finding("role", State.WARN, f"{name}; the roles are not made yet", "run `osler migrate`")
    if not row["is_app"]:
        return Finding("role", State.BAD, f"{name} is not a member of osler_app", f"grant osler_app to {name}")
    return Finding("role", State.OK, name)


async def _schema(connection: Driver) -> Finding:
    from osler.db import start_checks
    from osler.db.history import HEAD
    from osler.errors import Misconfigured

    try:
        await start_checks.check_schema(connection)
    except Misconfigured as wrong:
        return Finding("schema", State.BAD, wrong.text, "run `osler migrate`")
    return Finding("schema", State.OK, f"at revision {HEAD}")


async def _partitions(connection: Driver) -> list[Finding]:
    from osler.db.partitions import NEWEST_SQL, whole_months_between

    if not await connection.fetchval("select to_regproc('partitioned_log_tables') is not null"):
        return []
    today = await connection.fetchval("select (now() at time zone 'UTC')::date")
    found: list[Finding] = []
    for row in await connection.fetch(NEWEST_SQL):
        ahead = whole_months_between(today, row["until"].date()) if row["until"] else -1
        state = State.OK if ahead >= MONTHS_AHEAD_ALERT else State.BAD
        todo = "" if state is State.OK else "start the server or a scheduler: it makes them"
        found.append(Finding(f"partitions of {row['parent']}", state, f"{max(ahead, 0)} months ahead", todo))
    return found


async def redis(url: str, what: str) -> Finding:
    """Whether a Redis answers."""
    import asyncio

    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    from osler.domain.transport import redis_options

    client: Any = cast("Any", Redis).from_url(url, socket_timeout=2, socket_connect_timeout=2, **redis_options(url))
    try:
        await asyncio.wait_for(client.ping(), timeout=3)
    except (RedisError, OSError, TimeoutError) as failed:
        return Finding(what, State.WARN, f"does not answer ({type(failed).__name__})", "start it, or unset its URL")
    finally:
        await client.aclose()
    return Finding(what, State.OK, "answers")
