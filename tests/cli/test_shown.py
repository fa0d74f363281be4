"""What a file is called steers no terminal: its name is spelt out where it cannot be seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from osler.cli.shown import shown


def test_lines_stay_and_what_steers_is_spelt_out() -> None:
    assert shown("a\x1b]0;x\x07b\nc\td\u202ee\ud800f") == "a\\u001b]0;x\\u0007b\nc\\u0009d\\u202ee\\ud800f"
    assert shown("Kardiologie – 心不全 👩🏽‍⚕️") == "Kardiologie – 心不全 👩🏽‍⚕️"


@pytest.mark.parametrize("name", ["a\x1b[2J\x07.anki2", "\u202e2ikna.x", "<img src=x>" + "x" * 200, "\udcff.anki2"])
@pytest.mark.parametrize("content", [None, b"no collection", b"SQLite format 3\x00torn"])
def test_a_hostile_file_name_is_refused_in_plain_signs(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-m", "osler", "import", "anki", str(path)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=120, env={"OSLER_HOME": str(tmp_path)})
    assert ended.returncode == 2
    said = (ended.stdout + ended.stderr).decode("utf-8")
    assert said.startswith("osler: ")
    assert "Traceback" not in said
    assert not any(sign in said for sign in ("\x1b", "\x07", "\u202e"))
