"""`dev.py` says what it can do, refuses what it cannot, and parses on Pythons far too old to run Osler."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "dev.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_arguments_it_lists_every_recipe_on_a_line() -> None:
    done = dev()
    assert done.returncode == 0
    for name in ("demo", "test", "setup", "check", "bench", "faults", "screenshots", "lock", "npm", "web", "docs"):
        assert f"\n  {name} " in done.stdout


def test_an_unknown_recipe_is_refused_with_the_list() -> None:
    done = dev("frobnicate")
    assert done.returncode != 0
    assert "no recipe 'frobnicate'" in done.stderr
    assert "demo" in done.stderr


@pytest.mark.parametrize("name", ["dev.py", "webstamp.py"])
def test_it_parses_on_old_pythons_so_that_they_get_the_message(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 7))


def test_a_python_without_ensurepip_gets_the_command_that_mends_it(tmp_path: Path) -> None:
    # A finder in front of the standard library hides the module, as Debian's split package does.
    code = (
        "import sys, runpy\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ensurepip': raise ImportError(name)\n"
        "sys.meta_path.insert(0, Hidden()); sys.path.insert(0, '.')\n"
        "import dev\n"
        "dev.need_ensurepip()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "sudo apt-get install -y python3-venv" in done.stderr


@pytest.mark.parametrize(("made", "left"), [((), ["python"]), ((".osler-whole",), None), (("making",), None)])
def test_a_venv_that_somebody_else_made_is_moved_aside_and_ours_is_removed(
    tmp_path: Path, made: tuple[str, ...], left: list[str] | None
) -> None:
    for name in ("dev.py", "webstamp.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    venv = tmp_path / ".venv"
    venv.mkdir()
    (venv / "python").write_text("theirs")
    for name in made:
        (tmp_path / ".venv.making" if name == "making" else venv / name).write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", "import dev; dev.clear_the_place()"], cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    aside = tmp_path / ".venv.aside"
    assert not venv.exists()
    assert (sorted(path.name for path in aside.iterdir()) if aside.exists() else None) == left
    assert ("moving it to .venv.aside" in done.stderr) is (left is not None)


def test_the_digest_of_the_dashboard_ignores_what_tests_leave_behind(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT))
    try:
        import webstamp
    finally:
        sys.path.remove(str(ROOT))
    (tmp_path / "src").mkdir()
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "src" / "main.tsx").write_text("one")
    before = webstamp.digest(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "shot.png").write_bytes(b"x")
    (tmp_path / "src" / "main.test.tsx").write_text("a test")
    assert webstamp.digest(tmp_path) == before
    (tmp_path / "src" / "main.tsx").write_text("two")
    assert webstamp.digest(tmp_path) != before
