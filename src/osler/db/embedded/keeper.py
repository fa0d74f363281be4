"""Keeps one PostgreSQL alive while anybody uses it, then stops it. A small process of its own.

Run as a script with nothing but the standard library (`python -I -S keeper.py`, its orders as JSON on standard input),
so that it starts in milliseconds and outlives the application that started it, however that ends. Users of the server
hold a shared lock on one file; the kernel releases it when they die. When the keeper can take it exclusively, nobody is
left. A postmaster that was killed is started again; one that was left running by a killed keeper is adopted.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.1
FAST_STOP_SECONDS = 6.0
READY_SECONDS = 60.0
LOG_LIMIT_BYTES = 8 * 1024 * 1024
SOCKET_PATH_LIMIT = 103  # macOS; Linux has 107
RESTARTS_A_MINUTE = 5


class Keeper:
    """One server, from its start or adoption to the end of its last user."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.root = Path(orders["root"])
        self.data = self.root / "data"
        self.child: subprocess.Popen[Any] | None = None
        self.pid = 0
        self.socket = ""
        self.idle_since: float | None = None
        self.starts: list[float] = []
        self.told_to_stop = False
        self.users = os.open(self.root / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self.log = os.open(self.root / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def run(self) -> int:
        """Start or adopt, stay until nobody uses it, stop. The exit status of the process."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if not self._adopt():
            self._forget_left_socket()
            if not self._start():
                return 1
        ticks = 0
        while not self.told_to_stop and not self._is_abandoned():
            time.sleep(TICK_SECONDS)
            ticks += 1
            if not self._is_alive() and not self._start():
                return 1
            if ticks % 100 == 0:
                self.bound_log()
        self._stop()
        return 0

    def _on_stop(self, *_: object) -> None:
        self.told_to_stop = True

    def _is_abandoned(self) -> bool:
        """Whether nobody has used the server for the linger time. Keeps the users' lock when it says so."""
        try:
            fcntl.flock(self.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.idle_since = None
            return False
        now = time.monotonic()
        if self.idle_since is None:
            self.idle_since = now
        if now - self.idle_since >= self.orders["linger_seconds"]:
            return True  # still locked: a newcomer waits until the server has stopped, then starts it anew
        fcntl.flock(self.users, fcntl.LOCK_UN)
        return False

    def _is_alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        return is_postmaster(self.pid, self.data)

    def _adopt(self) -> bool:
        """Take over a server that runs on the folder already."""
        seen = read_pid_file(self.data)
        if seen is None or not is_postmaster(seen[0], self.data):
            return False
        self.pid, self.socket, until = seen[0], seen[1], time.monotonic() + READY_SECONDS
        while not is_ready(self.data, self.pid):
            if time.monotonic() > until or not is_postmaster(self.pid, self.data):
                return False
            time.sleep(0.02)
        if not Path(self.socket).is_dir():  # somebody tidied /tmp: without its socket it serves nobody
            self._stop()
            return False
        self.say("ready")
        return True

    def _start(self) -> bool:
        """Start the server, again and again while backends of a killed one are still leaving."""
        now = time.monotonic()
        self.starts = [*(at for at in self.starts if now - at < 60), now]
        if len(self.starts) > RESTARTS_A_MINUTE:
            self.say("failed", f"PostgreSQL died {RESTARTS_A_MINUTE} times within a minute")
            return False
        until = now + READY_SECONDS
        while True:
            if self._start_once(until):
                return True
            text = self._last_words()
            if time.monotonic() > until or not ("still in use" in text or "already exists" in text):
                self.say("failed", text)
                return False
            time.sleep(0.1)

    def _start_once(self, until: float) -> bool:
        forget_foreign_pid(self.data)
        self._make_socket_folder()
        self.say("starting")
        self.log_start = os.fstat(self.log).st_size
        child: subprocess.Popen[Any] = subprocess.Popen(  # noqa: S603 (our own program, a list, no shell)
            [*self.orders["command"], "-c", f"unix_socket_directories={self.socket}"],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=self.data,
            env=self.orders["environment"],
            start_new_session=True,
            **self.orders["spawn"],
        )
        self.child, self.pid = child, child.pid
        while child.poll() is None and time.monotonic() < until:
            if is_ready(self.data, self.pid):
                self.say("ready")
                return True
            time.sleep(0.01)
        return False

    def _forget_left_socket(self) -> None:
        """Remove the socket folder of a server whose keeper was killed too; only one that is provably ours."""
        left = self.orders.get("left_socket", "")
        is_folder = os.path.isdir(left) and not os.path.islink(left)
        owners = (os.geteuid(), self.orders["spawn"].get("user", -1))
        if is_folder and Path(left).name.startswith("osler-") and os.stat(left).st_uid in owners:
            shutil.rmtree(left, ignore_errors=True)

    def _make_socket_folder(self) -> None:
        """A short private folder with a random name: nobody can have made it before us, no link is followed."""
        if self.socket and Path(self.socket).is_dir():
            return
        base = "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else tempfile.gettempdir()  # noqa: S108 (private below)
        self.socket = tempfile.mkdtemp(prefix="osler-", dir=base)
        if len(f"{self.socket}/.s.PGSQL.{self.orders['port']}".encode()) > SOCKET_PATH_LIMIT or "," in self.socket:
            msg = f"no folder for the socket is short enough: {self.socket}"
            raise OSError(msg)
        if "user" in self.orders["spawn"]:
            os.chown(self.socket, self.orders["spawn"]["user"], self.orders["spawn"]["group"])

    def _stop(self) -> None:
        """Fast, then immediate. Only ever signals a process that is proven to be the server of this folder."""
        for what, patience in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, 3.0)):
            if self._is_alive():
                os.kill(self.pid, what)
            until = time.monotonic() + patience
            while self._is_alive() and time.monotonic() < until:
                time.sleep(0.01)
        if self.socket.rsplit("/", 1)[-1].startswith("osler-"):
            shutil.rmtree(self.socket, ignore_errors=True)
        self.socket = ""
        self.say("stopped")

    def say(self, status: str, text: str = "") -> None:
        """Tell the applications, whole or not at all."""
        words = {"status": status, "text": text, "pid": self.pid, "keeper": os.getpid(), "socket": self.socket}
        making = self.root / "state.new"
        making.write_text(json.dumps({**words, "port": self.orders["port"]}))
        making.chmod(0o600)
        making.rename(self.root / "state.json")

    def _last_words(self) -> str:
        with (self.root / "server.log").open("rb") as file:
            file.seek(self.log_start)
            return file.read()[-2000:].decode(errors="replace").strip()

    def bound_log(self) -> None:
        """Keep one older file; the server goes on appending to the emptied one."""
        if os.fstat(self.log).st_size > LOG_LIMIT_BYTES:
            shutil.copyfile(self.root / "server.log", self.root / "server.log.1")
            (self.root / "server.log.1").chmod(0o600)
            os.ftruncate(self.log, 0)


def read_pid_file(data: Path) -> tuple[int, str, str] | None:
    """Process, socket folder and status out of `postmaster.pid`."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[4] if len(lines) > 4 else "", lines[7].strip() if len(lines) > 7 else ""
    except (OSError, ValueError, IndexError):
        return None


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server with this pid takes connections."""
    seen = read_pid_file(data)
    return seen is not None and seen[0] == pid and seen[2] == "ready"


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether `pid` is a PostgreSQL that works in `data`: never by the number alone, numbers are reused."""
    if pid <= 0:
        return False
    try:
        if sys.platform.startswith("linux"):
            return Path(f"/proc/{pid}/cwd").samefile(data) and _parent_is_outside(pid, data)
        told = subprocess.run(  # noqa: S603
            ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return "postgres" in told.stdout and str(data) in told.stdout


def _parent_is_outside(pid: int, data: Path) -> bool:
    """A backend's parent works in the folder too; the postmaster's does not. A zombie is nobody."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    if fields[0] in "ZX":
        return False
    try:
        return not Path(f"/proc/{fields[1]}/cwd").samefile(data)
    except OSError:
        return True


def forget_foreign_pid(data: Path) -> None:
    """Remove `postmaster.pid` when its number belongs to a process that is not a PostgreSQL of this folder.

    PostgreSQL itself refuses to start while any process of its own account has that number.
    """
    seen = read_pid_file(data)
    if seen is None or not sys.platform.startswith("linux"):
        return
    cwd = Path(f"/proc/{seen[0]}/cwd")
    try:
        is_ours = cwd.samefile(data)
    except FileNotFoundError:
        is_ours = False
    except PermissionError:
        is_ours = True  # not ours to judge: let PostgreSQL say it
    if not is_ours:
        (data / "postmaster.pid").unlink(missing_ok=True)


def main() -> int:
    """Read the orders, hold the keeper's lock, keep."""
    orders: dict[str, Any] = json.load(sys.stdin)
    lock = os.open(Path(orders["root"]) / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + 2
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                return 3
            time.sleep(0.01)
    keeper = Keeper(orders)
    try:
        return keeper.run()
    except OSError as failed:
        keeper.say("failed", str(failed))
        return 1


if __name__ == "__main__":
    sys.exit(main())
