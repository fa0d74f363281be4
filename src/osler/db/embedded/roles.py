"""Who may do what in a database of ours: login roles, their passwords, and the URL of each."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from osler.errors import Misconfigured

DATABASE = "osler"
ADMIN = "osler_admin"
LOGINS = (ADMIN, "osler_migrator", "osler_app", "osler_eraser")
GROUPS = ("osler_owner", "osler_reader", "osler_retention")


@dataclass(frozen=True, slots=True, repr=False)
class Urls:
    """One database as seen by each role. Holds passwords: `repr` shows none."""

    app: str
    owner: str
    eraser: str
    admin: str

    def __repr__(self) -> str:
        return "Urls(…)"


def bootstrap_statements(passwords: dict[str, str], database: str | None = DATABASE) -> list[str]:
    """SQL that makes the roles with their passwords, one statement a line, then the database.

    Run once by a superuser; `osler migrate` finds the roles there. The login of migrations acts as `osler_owner`
    and may drop due partitions; nobody but the bootstrap superuser can make roles.
    """
    made = [f"CREATE ROLE {name} NOLOGIN" for name in GROUPS]
    made += [f"CREATE ROLE {name} LOGIN PASSWORD '{passwords[name]}'" for name in LOGINS if name != ADMIN]
    made += ["GRANT osler_owner TO osler_migrator", "GRANT osler_retention TO osler_migrator"]
    if database is not None:
        made += [
            f"CREATE DATABASE {database} OWNER osler_owner",
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO osler_app, osler_eraser, osler_migrator",
        ]
    return made


def new_passwords() -> dict[str, str]:
    """A random password for each login: letters, digits, - and _, so it needs no quoting anywhere."""
    return {name: secrets.token_urlsafe(24) for name in LOGINS}


def keep_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Write them to a file that only we can read, whole or not at all."""
    making = path.with_suffix(".new")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(passwords, file)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)


def read_passwords(path: Path) -> dict[str, str]:
    """The kept passwords. Errors: Misconfigured when they are gone or damaged: nobody can log in then."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise Misconfigured(
            f"{path} is gone or damaged; without the passwords in it nobody can open the database beside it. "
            "Bring it back from your backup."
        ) from error


def urls(passwords: dict[str, str], *, host: str, port: int, database: str = DATABASE) -> Urls:
    """The URL of each role on the server behind the socket folder or address `host`."""

    def url(role: str) -> str:
        place = urlencode({"host": host, "port": port}, quote_via=quote)
        return f"postgresql://{role}:{quote(passwords[role], safe='')}@/{database}?{place}"

    return Urls(app=url("osler_app"), owner=url("osler_migrator"), eraser=url("osler_eraser"), admin=url(ADMIN))
