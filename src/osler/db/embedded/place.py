"""Where the embedded server keeps what: one folder under `OSLER_HOME`, private to us."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from osler.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one embedded server.

    `data` belongs to the server's account; all else to ours. `starting` is locked while somebody starts or stops,
    `users` is held shared by every process that uses the server, `keeper` is held by the keeper as long as it lives.
    """

    root: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.root / "data"

    @property
    def passwords(self) -> Path:
        """Passwords of the login roles, 0600."""
        return self.root / "passwords.json"

    @property
    def state(self) -> Path:
        """What the keeper says about the server: pid, socket folder, ready or failed."""
        return self.root / "state.json"

    @property
    def log(self) -> Path:
        """The server's log; bounded by the keeper."""
        return self.root / "server.log"

    @property
    def starting(self) -> Path:
        """Lock of starting and stopping."""
        return self.root / "starting.lock"

    @property
    def users(self) -> Path:
        """Lock that every user holds shared."""
        return self.root / "users.lock"

    @property
    def keeper(self) -> Path:
        """Lock that the living keeper holds."""
        return self.root / "keeper.lock"

    def read_state(self) -> dict[str, Any]:
        """The keeper's last word; empty when there is none."""
        try:
            return cast("dict[str, Any]", json.loads(self.state.read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}


def prepare(home: Path) -> Place:
    """Make the folders, private to us. The modes and owners of everything above `home` stay as they are.

    Errors: Misconfigured when the folder cannot be written or is another account's.
    """
    place = Place(home / "postgresql")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.root.mkdir(mode=0o700, exist_ok=True)
        if place.root.stat().st_uid == os.geteuid():
            place.root.chmod(0o700)
    except OSError as failed:
        msg = f"{place.root} cannot be made: {failed.strerror}. Set OSLER_HOME to a folder that you can write."
        raise Misconfigured(msg, code="embedded.folder") from failed
    if place.root.stat().st_uid != os.geteuid():
        msg = (
            f"{place.root} belongs to another account (uid {place.root.stat().st_uid}). "
            "Start Osler as that account, or set OSLER_HOME to a folder of your own."
        )
        raise Misconfigured(msg, code="embedded.owner")
    if not os.access(place.root, os.W_OK):
        msg = f"{place.root} is read-only. Set OSLER_HOME to a folder that you can write."
        raise Misconfigured(msg, code="embedded.folder")
    return place
