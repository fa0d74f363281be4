"""`osler doctor` says what it finds and what to do, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from osler.cli import doctor
from osler.cli.doctor_checks import Finding, State, machine
from osler.settings import Settings, load_settings
from osler.tracking.options import CLIENT_VARIABLES


def of(findings: list[Finding], what: str) -> Finding:
    return next(finding for finding in findings if finding.what == what)


def test_an_unknown_setting_is_pointed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OSLER_DATABSE_URL", "typo")
    found = of(list(machine(load_settings(home=tmp_path))), "setting")
    assert found.state is State.WARN
    assert "OSLER_DATABSE_URL" in found.found


@pytest.mark.parametrize("name", sorted(CLIENT_VARIABLES))
def test_what_a_tracked_application_has_beside_it_is_known(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, "secret-canary")
    found = [finding for finding in machine(load_settings(home=tmp_path)) if finding.what == "setting"]
    assert [finding.state for finding in found] == [State.OK]
    assert name in found[0].found
    assert "canary" not in str(found)


def test_a_home_that_others_can_write_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = of(list(machine(load_settings(home=tmp_path))), "home")
    assert found.state is State.BAD
    assert "chmod" in found.todo


@pytest.mark.parametrize(
    ("mode", "state"), [(0o755, State.WARN), (0o750, State.WARN), (0o711, State.WARN), (0o700, State.OK)]
)
def test_a_home_that_others_can_see_into_is_pointed_out(tmp_path: Path, mode: int, state: State) -> None:
    tmp_path.chmod(mode)
    found = of(list(machine(load_settings(home=tmp_path))), "home")
    assert found.state is state
    assert (found.todo == "") is (state is State.OK)
    assert state is State.OK or f"chmod go= {tmp_path}" in found.todo


def test_a_home_that_is_no_folder_or_cannot_be_made_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert of(list(machine(load_settings(home=file))), "home").state is State.BAD
    assert "cannot be made" in of(list(machine(load_settings(home=file / "home"))), "home").found


async def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = await doctor.examine(load_settings(home=home))
    assert "not made yet" in of(found, "database").found
    assert not home.exists()


async def test_a_database_that_is_away_is_bad(tmp_path: Path) -> None:
    url = "postgresql://osler_app:secret@127.0.0.1:1/none"
    found = of(await doctor.examine(load_settings(home=tmp_path, database_url=url)), "database")
    assert found.state is State.BAD
    assert "OSLER_DATABASE_URL" in found.todo
    assert "secret" not in f"{found}"


@pytest.mark.integration
async def test_a_good_database_has_role_schema_and_partitions(settings: Settings) -> None:
    found = await doctor.examine(settings)
    assert of(found, "role") == Finding("role", State.OK, "osler_app")
    assert of(found, "schema").state is State.OK
    assert of(found, "partitions of study_events").state is State.OK
    assert [finding for finding in found if finding.state is State.BAD] == []


@pytest.mark.integration
async def test_a_login_outside_of_osler_app_is_bad(settings: Settings) -> None:
    owner = settings.model_copy(update={"database_url": settings.owner_database_url})
    found = of(await doctor.examine(owner), "role")
    assert found.state is State.BAD
    assert "osler_app" in found.found


def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor._print_json(load_settings(home=tmp_path), [Finding("x", State.OK, "y")], healthy=True)
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is True
    assert told["findings"] == [{"what": "x", "state": "ok", "found": "y", "todo": ""}]
