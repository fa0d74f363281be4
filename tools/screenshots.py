"""Every page in both themes, phone and desktop, into screenshots/ (git-ignored): for a person to look at."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import npm

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge")


def find_browser() -> str:
    given = os.environ.get("OSLER_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if given is None:
        raise SystemExit("no Chromium was found: sudo apt-get install -y chromium, or set OSLER_CHROMIUM")
    return given


def main() -> int:
    browser = find_browser()
    folder = ROOT / "screenshots"
    with tempfile.TemporaryDirectory(prefix="osler-shots-") as home:
        command = [sys.executable, "-m", "osler", "demo", "--port", "0", "--no-browser"]
        env = {**os.environ, "OSLER_HOME": home, "OSLER_RATE_PER_MINUTE": "100000"}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as served:
            try:
                url, token = read_address(served)
                shots = [npm.node(), "e2e/shots.mjs", url, token, str(folder), browser]
                code = subprocess.run(shots, cwd=npm.WEB, check=False).returncode
            finally:
                served.send_signal(signal.SIGTERM)
    for picture in sorted(folder.glob("*.png")):
        print(picture.relative_to(ROOT))
    return code


def read_address(served: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the learner's token, out of what the demo prints until it is ready."""
    token = ""
    for line in served.stdout or ():
        print(line, end="", file=sys.stderr)
        if found := re.search(r"learner\s+\S+#token=(\S+)", line):
            token = found[1]
        if found := re.match(r"Osler is ready at (\S+)", line):
            return found[1], token
    raise SystemExit("osler demo ended before it was ready")


if __name__ == "__main__":
    sys.exit(main())
