"""Starts or joins the embedded PostgreSQL of a home folder, and is one of its users until it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from osler.clock import monotonic_seconds, pause
from osler.db.embedded import keeper as keeper_script
from osler.db.embedded import roles
from osler.db.embedded.account import Account, server_account
from osler.db.embedded.binaries import readable_binaries
from osler.db.embedded.cluster import ENVIRONMENT, command, configuration, make_if_missing
from osler.db.embedded.locks import held, is_held, open_lock, take
from osler.db.embedded.place import Place, prepare
from osler.errors import Misconfigured, Unavailable
from osler.settings import Settings

PORT = 5432
START_SECONDS = 60.0


@dataclass(slots=True)
class Embedded:
    """A use of the embedded server. While it is open the server runs; a killed process closes it too."""

    place: Place
    account: Account
    made: bool = False
    _using: int | None = field(default=None, repr=False)

    @classmethod
    def start(cls, settings: Settings) -> Self:
        """Start the server of `settings.home`, or join the one that runs; about 1 s the first time, then 0.2 s.

        Errors: Misconfigured (folder, account, version, programs), Unavailable (somebody holds the lock too long).
        """
        account = server_account(settings.embedded_account)
        place = prepare(settings.home)
        use = cls(place, account)
        with held(place.starting, timeout_seconds=START_SECONDS):
            use._join()
            try:
                if not is_held(place.keeper) or not use.is_ready():
                    use._start(settings)
            except BaseException:
                use.close()
                raise
        return use

    def close(self) -> None:
        """Stop using the server; its keeper stops it when nobody is left."""
        if self._using is not None:
            os.close(self._using)
            self._using = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket(self) -> Path:
        """Folder of the server's socket, private to the account that runs it."""
        return Path(str(self.place.read_state().get("socket", "")))

    def urls(self, database: str = roles.DATABASE) -> roles.Urls:
        """The URL of each role."""
        kept = roles.read_passwords(self.place.passwords)
        return roles.urls(kept, host=str(self.socket), port=PORT, database=database)

    def is_ready(self) -> bool:
        """Whether the server takes connections now."""
        state = self.place.read_state()
        return state.get("status") == "ready" and keeper_script.is_ready(self.place.data, int(state["pid"]))

    def wait_until_stopped(self, timeout_seconds: float = 15.0) -> None:
        """Wait for the keeper to have stopped the server; for tests and `dev.py clean`.

        Errors: Unavailable when somebody still uses it after that time.
        """
        until = monotonic_seconds() + timeout_seconds
        while is_held(self.place.keeper):
            if monotonic_seconds() > until:
                msg = f"the server in {self.place.root} is still used after {timeout_seconds:.0f} s"
                raise Unavailable(msg, code="embedded.in_use")
            pause(0.02)

    def _join(self) -> None:
        """Become a user. Waits while a keeper stops the server: it holds this lock until that is done."""
        self._using = open_lock(self.place.users)
        take(self._using, self.place.users, timeout_seconds=START_SECONDS, shared=True)

    def _start(self, settings: Settings) -> None:
        binaries = readable_binaries(self.account, settings.home, settings.embedded_programs_folder)
        self.made = make_if_missing(self.place, binaries, self.account, fsync=settings.embedded_fsync)
        if not is_held(self.place.keeper):
            left = str(self.place.read_state().get("socket", ""))
            self.place.state.unlink(missing_ok=True)
            wanted = configuration(shared_buffers=settings.embedded_shared_buffers, fsync=settings.embedded_fsync)
            self._spawn_keeper(
                {
                    "root": str(self.place.root),
                    "command": command(binaries, self.place.data, self.account, wanted, PORT),
                    "environment": ENVIRONMENT,
                    "spawn": self.account.spawn_options(),
                    "port": PORT,
                    "left_socket": left,
                    "linger_seconds": settings.embedded_linger_seconds,
                }
            )
        self._wait_until_ready()

    def _spawn_keeper(self, orders: dict[str, object]) -> None:
        log = os.open(self.place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            child = subprocess.Popen(  # noqa: S603 (our own script)
                [sys.executable, "-I", "-S", keeper_script.__file__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(log)
        stdin = child.stdin
        if stdin is None:
            raise AssertionError
        with stdin:
            stdin.write(json.dumps(orders).encode())
        _leave_running(child)

    def _wait_until_ready(self) -> None:
        until = monotonic_seconds() + START_SECONDS
        while not self.is_ready():
            state = self.place.read_state()
            if state.get("status") == "failed":
                msg = f"PostgreSQL did not start: {state['text']} (log: {self.place.log})"
                raise Misconfigured(msg, code="embedded.start")
            if monotonic_seconds() > until:
                msg = f"PostgreSQL was not ready after {START_SECONDS:.0f} s; see {self.place.log}"
                raise Unavailable(msg, code="embedded.start")
            pause(0.01)


def _leave_running(child: subprocess.Popen[bytes]) -> None:
    """The keeper outlives us on purpose; without this Python warns that a child is still running."""
    child.returncode = 0


_uses: dict[Path, Embedded] = {}


def ensure_running(settings: Settings) -> roles.Urls:
    """URLs of the embedded server of `settings.home`, started if need be and used until this process ends."""
    use = _uses.get(settings.home)
    if use is None or not use.is_ready():
        if use is not None:
            use.close()
        use = _uses[settings.home] = Embedded.start(settings)
    return use.urls()
