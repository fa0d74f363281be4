"""Everything that can be told without running a test: format, lint, types, import contracts, drift.

Each step is shown with its time; all of them run, and the exit status tells whether every one held.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import npm

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

STEPS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "lint": [str(BIN / "ruff"), "check", "--quiet", "."],
    "types": [str(BIN / "pyright"), "--pythonpath", sys.executable],
    "import contracts": [str(BIN / "lint-imports"), "--no-cache"],
    "generated files": [sys.executable, "tools/generate.py", "--check"],
    "migrations": [sys.executable, "-m", "pytest", "-q", "tests/db/test_migrations.py"],
    "dashboard types": [*npm.npm(), "--prefix", "web", "run", "--silent", "typecheck"],
    "dashboard lint": [*npm.npm(), "--prefix", "web", "run", "--silent", "lint"],
}


def environment() -> dict[str, str]:
    """Pyright runs on the pinned Node too, not on one that it would fetch."""
    made = npm.environment()
    made["PATH"] = str(BIN) + os.pathsep + made["PATH"]
    made["PYRIGHT_PYTHON_GLOBAL_NODE"] = "1"
    made["PYRIGHT_PYTHON_IGNORE_WARNINGS"] = "1"
    return made


def run(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment(), check=False, capture_output=True, text=True)
    held = done.returncode == 0
    print(f"{name:<20}{'holds' if held else 'BROKEN':<8}{time.monotonic() - started:>6.1f} s", flush=True)
    if not held:
        print(done.stdout[-6000:], done.stderr[-2000:], sep="\n")
    return held


def main() -> int:
    wanted = sys.argv[1:] or list(STEPS)
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        print(f"no step {', '.join(unknown)}; there are: {', '.join(STEPS)}", file=sys.stderr)
        return 2
    results = [run(name, STEPS[name]) for name in wanted]  # all of them, also after one that broke
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
