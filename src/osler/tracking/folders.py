"""Whose folder is whose: each process locks its own, and takes over those whose process has died."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class FolderLock:
    """An exclusive lock on a folder. The kernel lets go of it when the process dies, however it dies."""

    def __init__(self, folder: Path, handle: int) -> None:
        self.folder = folder
        self._handle = handle

    def is_in_place(self) -> bool:
        """Whether the locked file is still the one that others find."""
        try:
            return os.path.samestat(os.fstat(self._handle), (self.folder / "lock").stat())
        except OSError:
            return False

    def release(self) -> None:
        """Let go. In a forked child this closes the child's copy alone: the parent keeps its lock."""
        with suppress(OSError):
            os.close(self._handle)


def open_root(root: Path) -> None:
    """Make the folder that all processes share, for this user alone.

    Errors: OSError when it cannot be made, or belongs to somebody else, who could then read or swap what lies in it.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        msg = f"{root} belongs to somebody else"
        raise PermissionError(msg)
    if found.st_mode & 0o077:
        root.chmod(0o700)


def own_folder(root: Path) -> FolderLock:
    """A new folder of this process, locked. Another process may take it for dead between the two: then once more."""
    while True:
        folder = root / f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        lock = try_lock(folder)
        if lock is not None:
            return lock


def dead_folders(root: Path, own: Path) -> Iterator[FolderLock]:
    """Folders whose process is gone, locked one after the other; the caller empties and releases each."""
    for other in sorted(root.iterdir()):
        if other != own and other.is_dir():
            lock = try_lock(other)
            if lock is not None:
                yield lock


def try_lock(folder: Path) -> FolderLock | None:
    """The lock of a folder, or None while its process lives or when it has just been removed."""
    path = folder / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    lock = FolderLock(folder, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.release()
        return None
    if not lock.is_in_place():
        lock.release()
        return None
    return lock
