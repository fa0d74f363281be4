"""What a hint tells to type can be typed as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from osler.cli.called import called


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    made = folder / "osler"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "/usr/bin")
    return made


def test_in_a_clone_the_path_from_where_one_stands(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called() == ".venv/bin/osler"


def test_elsewhere_the_whole_path(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.home())
    assert called() == str(script)


def test_the_bare_name_where_the_shell_finds_it(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert called() == "osler"


def test_without_a_script_the_module(script: Path) -> None:
    script.unlink()
    assert called() == f"{script.with_name('python')} -m osler"
