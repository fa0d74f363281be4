"""What every test of the documentation looks at: the folder, its pages, and the generator beside the tests."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    """tools/generate.py as a module; it finds its neighbours by the path of scripts."""
    tools = str(ROOT / "tools")
    sys.path.insert(0, tools)
    try:
        return importlib.import_module("generate")
    finally:
        sys.path.remove(tools)


def pages() -> list[Path]:
    """Every Markdown page that a reader may open, generated ones too."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
    notes = ROOT / "src" / "osler" / "migrations" / "NOTES.md"
    return [page for page in (*top, notes) if page.exists()] + sorted((ROOT / "docs").rglob("*.md"))
