"""As which account does the server run? PostgreSQL refuses root, so root drops to an account that exists."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from osler.errors import Misconfigured

CANDIDATES = ("postgres", "nobody")


class SpawnOptions(TypedDict, total=False):
    """What `subprocess` needs to start a child as another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account. `drops` says that it is not our own."""

    name: str
    uid: int
    gid: int
    drops: bool

    def spawn_options(self) -> SpawnOptions:
        """Keyword arguments for `subprocess` that start a child as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drops else {}

    def own(self, path: Path, mode: int) -> None:
        """Give `path` to the account with exactly `mode`."""
        path.chmod(mode)
        if self.drops:
            os.chown(path, self.uid, self.gid)


def server_account(preferred: str | None = None) -> Account:
    """The account that runs PostgreSQL: our own, or for root the first that exists of `preferred`, postgres, nobody.

    Errors: Misconfigured when root has no unprivileged account to drop to. No account is ever added.
    """
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), drops=False)
    for name in [preferred] if preferred else CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(name=name, uid=found.pw_uid, gid=found.pw_gid, drops=True)
    msg = (
        "PostgreSQL refuses to run as root and neither of the accounts postgres and nobody exists. "
        "Start Osler as another user, set OSLER_EMBEDDED_ACCOUNT to an unprivileged account, or set OSLER_DATABASE_URL."
    )
    raise Misconfigured(msg, code="embedded.account")


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account may enter every folder above `path` and read `path` itself, by the mode bits."""
    return all(_may(account, step, execute=True) for step in path.parents) and _may(account, path, execute=False)


def _may(account: Account, path: Path, *, execute: bool) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    shift = 6 if found.st_uid == account.uid else 3 if found.st_gid == account.gid else 0
    wanted = 0o1 if execute else 0o4
    return bool((found.st_mode >> shift) & wanted)
