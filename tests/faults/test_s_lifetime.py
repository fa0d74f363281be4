"""S03, S05, S07, S12: killed applications, several at once, stale locks, half-made folders and schemas."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.embedded import Home, processes_in, within
from tests.support.matrix import count

from osler.db.history import HEAD

pytestmark = [pytest.mark.fault, pytest.mark.integration]


def test_s03_a_killed_application_is_adopted_by_the_next_start(home: Home) -> None:
    home.options["embedded_linger_seconds"] = 5
    first = home.application()
    pid = first.wait()["pid"]
    _run(first, "create table kept as select 42 as answer")
    first.kill()
    assert home.is_running()  # the server outlived it, for as long as it lingers
    began = time.monotonic()
    second = home.application()
    assert second.wait() == {"made": False, "pid": pid}
    assert time.monotonic() - began < 5
    assert second.ask("select answer from kept") == 42


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_s03_the_server_stops_after_its_last_user(home: Home, how: str) -> None:
    one, two = home.application(), home.application()
    assert one.wait()["pid"] == two.wait()["pid"]
    socket = Path(home.state["socket"])
    assert socket.is_dir()
    getattr(one, how)()
    time.sleep(1)
    assert two.ask("select 1") == 1  # one of two left: the other goes on
    began = time.monotonic()
    getattr(two, how)()
    assert within(10, lambda: not home.is_running())
    assert time.monotonic() - began < 10
    assert within(2, lambda: home.state["status"] == "stopped")
    assert not socket.exists()


def test_s03_a_killed_keeper_leaves_a_server_that_the_next_start_adopts(home: Home) -> None:
    one = home.application()
    pid = one.wait()["pid"]
    os.kill(home.state["keeper"], signal.SIGKILL)
    assert one.ask("select 1") == 1
    two = home.application()
    assert two.wait()["pid"] == pid
    one.leave()
    two.leave()
    assert within(10, lambda: not home.is_running())


def test_s05_five_first_starts_at_once_make_one_server(home: Home) -> None:
    applications = [home.application() for _ in range(5)]
    told = [application.wait() for application in applications]
    assert sum(hello["made"] for hello in told) == 1
    assert len({hello["pid"] for hello in told}) == 1
    assert [application.ask("select 7") for application in applications] == [7] * 5
    applications[0].leave()
    time.sleep(1)
    assert [application.ask("select 7") for application in applications[1:]] == [7] * 4
    assert not list(home.root.glob(".making-*"))


def test_s07_a_pid_file_of_a_dead_process_is_no_obstacle(home: Home) -> None:
    first = home.application()
    pid = first.wait()["pid"]
    os.kill(home.state["keeper"], signal.SIGKILL)
    first.kill()
    for process in processes_in(home.data):
        os.kill(process, signal.SIGKILL)
    assert within(5, lambda: not home.is_running())
    assert (home.data / "postmaster.pid").exists()  # as after a power cut or a reboot
    left = Path(home.state["socket"])
    assert left.is_dir()
    second = home.application()
    assert second.wait()["pid"] != pid
    assert second.ask("select 1") == 1
    assert not left.exists()


def test_s07_a_reused_pid_is_neither_waited_for_nor_signalled(home: Home) -> None:
    home.application().wait()
    home.clean_up()
    account = (home.data / "PG_VERSION").stat()
    foreign = subprocess.Popen(["sleep", "60"], cwd="/", **_as(account.st_uid, account.st_gid))
    try:
        pid_file = home.data / "postmaster.pid"
        pid_file.write_text(f"{foreign.pid}\n{home.data}\n0\n5432\n/tmp\n\n0 0\nready\n")
        os.chown(pid_file, account.st_uid, account.st_gid)
        application = home.application()
        assert application.wait()["pid"] != foreign.pid
        assert application.ask("select 1") == 1
        application.leave()
        assert within(10, lambda: not home.is_running())
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_s07_a_lock_held_by_a_stopped_process_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from osler.db.embedded import supervisor
    from osler.db.embedded.supervisor import Embedded
    from osler.errors import Unavailable
    from osler.settings import load_settings

    home.root.mkdir(parents=True, mode=0o700)
    lock = home.root / "starting.lock"
    holding = subprocess.Popen(
        [
            sys.executable, "-c",
            "import fcntl, os, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
            "f.write(str(os.getpid())); f.flush(); print('held', flush=True); sys.stdin.read()",
            str(lock),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holding.stdout is not None
        assert holding.stdout.readline() == "held\n"
        holding.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(supervisor, "START_SECONDS", 0.5)
        with pytest.raises(Unavailable, match=f"process {holding.pid}"):
            Embedded.start(load_settings(**home.settings()))
        assert not home.data.exists()
    finally:
        holding.send_signal(signal.SIGCONT)
        holding.communicate()


POINTS = count("S12", "points")


@pytest.mark.parametrize("point", range(POINTS))
def test_s12_an_initdb_killed_half_way_leaves_nothing(home: Home, point: int) -> None:
    first = home.application(start_new_session=True)
    assert within(30, lambda: bool(list(home.root.glob(".making-*"))))
    time.sleep(0.1 + 0.5 * point / POINTS)
    os.killpg(first.process.pid, signal.SIGKILL)
    half_made = bool(list(home.root.glob(".making-*")))
    assert half_made or point, "unknown: the first point comes long before the end"
    second = home.application()
    hello = second.wait()
    assert hello["made"] is half_made  # the later points may come after the whole was made
    assert second.ask("select count(*) from pg_roles where rolname = 'osler_app'") == 1
    assert not list(home.root.glob(".making-*"))


MIGRATING = """
import asyncio, json, sys
from osler.db.migrate import migrate
from osler.settings import load_settings
asyncio.run(migrate(load_settings(**json.loads(sys.argv[1]))))
"""


def test_s12_a_first_migration_killed_half_way_leaves_nothing(home: Home) -> None:
    application = home.application()
    application.wait()

    def migrating() -> subprocess.Popen[str]:
        return home.process(MIGRATING)

    for point in range(POINTS):
        process = migrating()
        assert within(60, lambda: application.ask(_MIGRATING) > 0), "unknown: no migration was under way"
        time.sleep(0.02 + 0.2 * point / POINTS)
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
        assert application.ask("select to_regclass('alembic_version') is null") is True, "it was not half-way"
    process = migrating()
    assert process.wait(120) == 0
    assert application.ask("select version_num from alembic_version") == HEAD
    assert application.ask(_MIGRATING) == 0


_MIGRATING = "select count(*) from pg_locks where locktype = 'advisory' and granted"


def test_s14_a_sleeping_application_keeps_its_server_and_goes_on(home: Home) -> None:
    application = home.application()
    pid = application.wait()["pid"]
    application.process.send_signal(signal.SIGSTOP)
    time.sleep(2)  # ten times the linger: it is asleep, not gone
    assert home.state["pid"] == pid
    application.process.send_signal(signal.SIGCONT)
    assert application.ask("select 1") == 1


def test_s14_a_terminated_keeper_stops_its_server_first(home: Home) -> None:
    application = home.application()
    application.wait()
    began = time.monotonic()
    os.kill(home.state["keeper"], signal.SIGTERM)  # as a machine does that shuts down
    assert within(10, lambda: not home.is_running())
    assert time.monotonic() - began < 10
    assert within(2, lambda: home.state["status"] == "stopped")


def _run(application, statement: str) -> None:
    """Run what returns no rows."""
    assert application.ask(statement) is None


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _as(uid: int, gid: int) -> dict[str, Any]:
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
