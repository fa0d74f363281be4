"""Which rows of the fault matrix there are, which tests cover them, and how often each is to run here.

Small counts by default; with OSLER_FULL=1 (`python3 dev.py faults --full`) those of the table.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
IS_FULL = os.environ.get("OSLER_FULL") == "1"
NAME = re.compile(r"def (test_([a-z]\d{2})_\w+)")
ROW = re.compile(r"test_([a-z]\d{2})_")


@dataclass(frozen=True)
class Row:
    """What is broken, what proves that it was, and its counts as (small, full)."""

    what: str
    happened: str | None = None
    vitest: str | None = None
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def _read() -> dict[str, Row]:
    declared = tomllib.loads((TESTS / "faults" / "matrix.toml").read_text())
    return {
        name: Row(row["what"], row.get("happened"), row.get("vitest"), {k: (a, b) for k, (a, b) in counts.items()})
        for name, row in declared.items()
        for counts in [row.get("counts", {})]
    }


ROWS: Mapping[str, Row] = _read()


def count(row: str, name: str) -> int:
    """How often, how many or how long in this run."""
    small, full = ROWS[row].counts[name]
    return full if IS_FULL else small


def row_of(test_name: str) -> str | None:
    """The row that a test is of, by its name."""
    found = ROW.match(test_name)
    return found[1].upper() if found else None


def covering_tests() -> dict[str, list[str]]:
    """Every test whose name starts with a row's id, as pytest would call it; the browser's by their file."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, row in NAME.findall(path.read_text()):
            found[row.upper()].append(f"{path.relative_to(ROOT)}::{name}")
    for name, row in ROWS.items():
        if row.vitest:
            found[name].append(row.vitest)
    return dict(found)
