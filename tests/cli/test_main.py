"""What goes wrong with the home folder is one sentence on standard error, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from osler.cli.main import run


def test_a_home_that_is_a_file_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("sys.argv", ["osler", "token"])
    with pytest.raises(SystemExit) as stopped:
        run()
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.startswith("osler: ")
    assert "set OSLER_HOME" in said
    assert said.count("\n") == 1
