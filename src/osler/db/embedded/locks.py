"""Locks on files: the kernel lets go of them however their holder ended, so none is ever stale."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from osler.clock import monotonic_seconds, pause
from osler.errors import Unavailable


def open_lock(path: Path) -> int:
    """A descriptor to lock, closed on exec."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if nobody is in the way."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take(descriptor: int, path: Path, *, timeout_seconds: float, shared: bool = False) -> None:
    """Take the lock, waiting for it.

    Errors: Unavailable, naming the file, when it is held by somebody for longer than the time-out.
    """
    until = monotonic_seconds() + timeout_seconds
    while not try_lock(descriptor, shared=shared):
        if monotonic_seconds() > until:
            msg = f"{path} has been held for {timeout_seconds:.0f} s by {holder(path)}; is that process stopped?"
            raise Unavailable(msg, code="embedded.locked")
        pause(0.02)


@contextmanager
def held(path: Path, *, timeout_seconds: float) -> Generator[None]:
    """Hold the exclusive lock on a file."""
    descriptor = open_lock(path)
    try:
        take(descriptor, path, timeout_seconds=timeout_seconds)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """Who wrote its pid into the lock file last, in words."""
    try:
        return f"process {int(path.read_text())}"
    except (OSError, ValueError):
        return "another process"


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock exclusively now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)
