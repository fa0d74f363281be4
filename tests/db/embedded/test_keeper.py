"""The keeper's small decisions: whose process is that, is it ready, is the log too long."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osler.db.embedded import keeper


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def sleeper(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works in the data folder, started from outside of it."""
    process = subprocess.Popen(["sleep", "30"], cwd=data)
    yield process
    process.kill()
    process.wait()


def write_pid_file(data: Path, pid: int, status: str = "ready   ") -> None:
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n/tmp/osler-x\n\n1 2\n{status}\n")


def test_a_pid_file_is_read(data: Path) -> None:
    assert keeper.read_pid_file(data) is None
    write_pid_file(data, 17)
    assert keeper.read_pid_file(data) == (17, "/tmp/osler-x", "ready")
    assert keeper.is_ready(data, 17)
    assert not keeper.is_ready(data, 18)
    write_pid_file(data, 17, "starting")
    assert not keeper.is_ready(data, 17)
    (data / "postmaster.pid").write_text("no number\n")
    assert keeper.read_pid_file(data) is None


def test_a_process_is_ours_by_where_it_works_not_by_its_number(data: Path, sleeper: subprocess.Popen[bytes]) -> None:
    assert keeper.is_postmaster(sleeper.pid, data)
    assert not keeper.is_postmaster(os.getpid(), data)
    assert not keeper.is_postmaster(0, data)
    assert not keeper.is_postmaster(sleeper.pid, data.parent)


def test_a_dead_process_is_nobody(data: Path, sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert not keeper.is_postmaster(sleeper.pid, data)


def test_only_the_pid_file_of_a_foreign_process_is_removed(data: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write_pid_file(data, sleeper.pid)
    keeper.forget_foreign_pid(data)
    assert (data / "postmaster.pid").exists()
    write_pid_file(data, os.getpid())
    keeper.forget_foreign_pid(data)
    assert not (data / "postmaster.pid").exists()


def test_a_long_log_is_emptied_and_its_last_part_kept(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOG_LIMIT_BYTES", 10)
    orders: dict[str, Any] = {"root": str(data.parent), "port": 5432, "linger_seconds": 0}
    kept = keeper.Keeper(orders)
    try:
        os.write(kept.log, b"short")
        kept.bound_log()
        assert not (data.parent / "server.log.1").exists()
        os.write(kept.log, b" and then long")
        kept.bound_log()
        assert (data.parent / "server.log.1").read_bytes() == b"short and then long"
        os.write(kept.log, b"next")
        assert (data.parent / "server.log").read_bytes() == b"next"
    finally:
        os.close(kept.log)
        os.close(kept.users)
