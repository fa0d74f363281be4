"""Resolve both locks again. Neither names a host: no header, no index, no `resolved`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import npm

ROOT = Path(__file__).resolve().parent.parent
COMPILE = (
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header",
    "--extra", "server", "--extra", "fit", "pyproject.toml",
)  # fmt: skip


def resolve(group: str, output: str, *more: str) -> None:
    command = [sys.executable, "-m", "uv", *COMPILE, "--group", group, "-o", output, *more]
    print("resolving", output, file=sys.stderr, flush=True)
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> int:
    upgrade = ("--upgrade",) if "--upgrade" in sys.argv[1:] else ()
    resolve("run", "requirements.lock", *upgrade)
    resolve("dev", "requirements-dev.lock", "--extra", "otlp", "-c", "requirements.lock", *upgrade)
    return npm.run("install", "--package-lock-only", "--no-audit", "--no-fund")


if __name__ == "__main__":
    sys.exit(main())
