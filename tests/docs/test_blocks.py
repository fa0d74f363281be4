"""Python on a page runs: blocks of `pycon` are doctests, blocks marked runnable end without an error."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.conftest import ROOT, pages

BLOCK = re.compile(r"^```(pycon|python runnable)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


BLOCKS = [(page, kind, text) for page in pages() for kind, text in BLOCK.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "kind", "text"), BLOCKS, ids=lambda value: getattr(value, "name", ""))
def test_a_block_that_is_marked_to_run_runs(page: Path, kind: str, text: str) -> None:
    if kind == "pycon":
        assert_session(page, text)
        return
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def assert_session(page: Path, text: str) -> None:
    """What a shown session prints is what it prints now."""
    example = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert outcome.attempted
    assert not outcome.failed, "".join(said)


def test_there_is_something_to_run() -> None:
    assert BLOCKS


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_other_python_at_least_parses(page: Path) -> None:
    for text in SHOWN.findall(page.read_text(encoding="utf-8")):
        compile(text, str(page), "exec")
