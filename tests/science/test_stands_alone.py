"""Can the science be imported where nothing is installed but NumPy, SciPy and msgspec?"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import osler

NEEDED = ("numpy", "scipy", "msgspec")
SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
import pkgutil
from importlib import import_module
import osler.science
for module in pkgutil.iter_modules(osler.science.__path__):
    import_module(f"osler.science.{module.name}")
print(*sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("osler.")}))
"""


def bare_folder(where: Path) -> Path:
    """A folder with these packages alone, and what lies beside them for the loader."""
    for package in NEEDED:
        for file in files(package) or ():
            top = file.parts[0]
            if top.startswith(package) and not (where / top).exists():
                (where / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 2])
    return where


def test_every_module_is_imported_without_web_database_or_what_fits(tmp_path: Path) -> None:
    source = str(Path(osler.__file__).parents[1])
    bare = [sys.executable, "-I", "-S", "-c", SCRIPT, str(bare_folder(tmp_path)), source]
    done = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(done.stdout.split()) <= {"osler.science", "osler.domain", "osler.errors"}


def test_the_folder_is_bare(tmp_path: Path) -> None:
    script = "import sys; sys.path[:0] = sys.argv[1:]; import sqlalchemy"
    bare = [sys.executable, "-I", "-S", "-c", script, str(bare_folder(tmp_path))]
    assert "No module named 'sqlalchemy'" in subprocess.run(bare, capture_output=True, text=True, check=False).stderr
