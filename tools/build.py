"""Build wheel and sdist into a folder, with the build tools of the lock (no isolation, no network)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hatchling.build import build_sdist, build_wheel

if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    os.chdir(Path(__file__).resolve().parent.parent)
    for build in (build_sdist, build_wheel):
        print(target / build(str(target)))
