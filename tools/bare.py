"""Install a built file into a bare environment without Node and try it: `osler demo --check` must pass."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("webdist/index.html", "migrations/env.py", "py.typed")


def names_in(file: Path) -> list[str]:
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    with tarfile.open(file) as archive:
        return archive.getnames()


def install(file: Path, venv: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    pip = [str(python), "-I", "-m", "pip", "-q", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(file)], check=True)
    return python


def main() -> int:
    file, venv = Path(sys.argv[1]), Path(sys.argv[2])
    names = names_in(file)
    missing = [needed for needed in NEEDED if not any(name.endswith("osler/" + needed) for name in names)]
    if missing:
        print(f"{file.name} lacks {', '.join(missing)}", file=sys.stderr)
        return 1
    python = install(file, venv)
    env = {**os.environ, "OSLER_HOME": str(venv / "osler-home")}
    command = [str(python), "-I", "-m", "osler", "demo", "--check", "--learners", "2", "--days", "10"]
    return subprocess.run(command, cwd=venv, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
