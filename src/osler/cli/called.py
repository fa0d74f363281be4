"""How is this program called from here? `osler` where a shell finds it, else the path that a shell takes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def called() -> str:
    """What to type in front of a command from the folder that one stands in: `osler`, `.venv/bin/osler` in a clone."""
    script = Path(sys.executable).with_name("osler")
    if not script.is_file():
        return f"{sys.executable} -m osler"
    found = shutil.which("osler")
    if found is not None and Path(found).resolve() == script.resolve():
        return "osler"
    here = Path.cwd()
    return str(script.relative_to(here)) if script.is_relative_to(here) else str(script)
