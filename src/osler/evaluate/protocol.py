"""How is a backtest run? What a task is, how time is split, and what identifies a run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from osler import __version__
from osler.evaluate.metrics import Ints
from osler.evaluate.report import Report

Progress = Callable[[str, int, int], None]
"""Called with (what is running, steps done, steps in all)."""

LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "fsrs-rs-python")


class Task(Protocol):
    """One question put to the forecasts: reads a data set, runs every model on it, answers with a report."""

    @property
    def name(self) -> str:
        """The task as the command line calls it."""
        ...

    def run(
        self, path: Path, *, as_of: date | None, baselines: Sequence[str] | None, progress: Progress, seed: int
    ) -> Report:
        """Run on a file or folder. `baselines` None means all; records after `as_of` are not read.

        Errors: UnreadableSource, naming the row and the column, where the data cannot be used.
        """
        ...


def silent(label: str, done: int, total: int) -> None:
    """A progress callback that says nothing."""


def forward_folds(n: int, splits: int = 5) -> Iterator[tuple[Ints, Ints]]:
    """(training rows, test rows) of each fold forward in time; the first block only trains.

    The same blocks as scikit-learn's TimeSeriesSplit: the test size is n // (splits + 1), the rest goes to the front.
    Yields nothing where n < splits + 1.
    """
    size = n // (splits + 1)
    if size == 0:
        return
    for start in range(n - splits * size, n, size):
        yield np.arange(start, dtype=np.int64), np.arange(start, start + size, dtype=np.int64)


def sha256_of(path: Path) -> str:
    """The hash of a file, or of the names and hashes of a folder's files in order of name."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.is_file()):
            digest.update(f"{file.name} {sha256_of(file)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """What a figure depends on beside data and seed: Osler, Python and the numerical libraries installed."""
    found = {"osler": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
