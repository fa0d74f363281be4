"""Loads every module that declares tables, so that `metadata` is whole."""

from __future__ import annotations

import importlib
from pathlib import Path

import osler

PACKAGE = Path(osler.__file__).parent


def modules_with_tables() -> list[str]:
    """Every `tables.py` of the package."""
    found = sorted(PACKAGE.rglob("tables.py"))
    return [".".join(("osler", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in found]


def load_every_declaration() -> None:
    """Import them all."""
    for name in modules_with_tables():
        importlib.import_module(name)
