"""Opening what somebody else made: plain, `.gz` or `.zst`, with a bound on what comes out of it."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import IO, cast

import zstandard

from osler.errors import UnreadableSource
from osler.ingest.importers.unpacking import ZstdStream

MOST_BYTES = 2 * 1024**3
MOST_LINE_BYTES = 1024 * 1024
FREE_BYTES = 64 * 1024**2
MOST_RATIO = 200
"""Past the first 64 MiB nothing may unpack to more than this many times its packed size: no real table does."""


class Budget:
    """How much may still come out of a packed file of so many bytes: what stops a bomb early."""

    def __init__(self, name: str, packed_bytes: int) -> None:
        self._name = name
        self._left = min(MOST_BYTES, max(FREE_BYTES, packed_bytes * MOST_RATIO))

    def spend(self, n: int) -> None:
        """Take note of `n` more bytes. Errors: UnreadableSource when that is too much."""
        self._left -= n
        if self._left < 0:
            raise UnreadableSource(
                f"{self._name} unpacks to far more than it should, or holds more than {MOST_BYTES // 1024**3} GiB",
                code="source.too_large",
            )


class _Bounded(io.RawIOBase):
    """Reads through to another stream; what is too long, in all or in one line, is refused and never held."""

    def __init__(self, inner: IO[bytes], budget: Budget, name: str, *, any_line: bool) -> None:
        super().__init__()
        self._inner, self._budget, self._name, self._any_line = inner, budget, name, any_line
        self._line = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(min(len(buffer), MOST_LINE_BYTES))
        self._budget.spend(len(data))
        first, last = data.find(b"\n"), data.rfind(b"\n")
        if not self._any_line and self._line + (first if first >= 0 else len(data)) > MOST_LINE_BYTES:
            raise UnreadableSource(f"{self._name} has a line of more than 1 MiB", code="source.line_too_long")
        self._line = len(data) - last - 1 if last >= 0 else self._line + len(data)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_bytes(path: Path, *, any_line: bool = False) -> Generator[IO[bytes]]:
    """The uncompressed bytes of a file.

    Errors: UnreadableSource when the file is missing, torn, unpacks to too much, or has a line of more than 1 MiB
    (with `any_line` a line may be as long as it likes: the caller does not read by lines).
    """
    if not path.is_file():
        what = "is a folder; name a file in it" if path.is_dir() else "is not there"
        raise UnreadableSource(f"{path} {what}", code="source.missing")
    try:
        with path.open("rb") as raw, _decompressed(path, raw) as plain:
            budget = Budget(path.name, MOST_BYTES if plain is raw else path.stat().st_size)
            yield cast("IO[bytes]", io.BufferedReader(_Bounded(plain, budget, path.name, any_line=any_line), 1 << 20))
    except PermissionError as error:
        raise UnreadableSource(f"{path} may not be read", code="source.forbidden") from error
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise UnreadableSource(
            f"{path.name} is torn, or not what its ending says: {error}", code="source.torn"
        ) from error


@contextmanager
def _decompressed(path: Path, raw: IO[bytes]) -> Generator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast("IO[bytes]", plain)
    elif path.suffix == ".zst":
        yield cast("IO[bytes]", ZstdStream(raw))
    else:
        yield raw


@contextmanager
def open_csv(
    path: Path, required: tuple[str, ...], delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Generator[csv.DictReader[str]]:
    """The rows of a CSV file as dictionaries; a byte-order mark is dropped, a short row has empty cells.

    Errors: UnreadableSource when a required column is missing, naming it and those that there are.
    """
    with open_bytes(path) as data, io.TextIOWrapper(data, encoding=encoding, newline="") as text:
        csv.field_size_limit(MOST_LINE_BYTES)
        rows = csv.DictReader(text, delimiter=delimiter, restkey="", restval="")
        try:
            columns = rows.fieldnames or []
            missing = [name for name in required if name not in columns]
            if missing:
                raise UnreadableSource(
                    f"{path.name} has no column {', '.join(missing)}; it has {', '.join(columns)[:400] or 'none'}",
                    code="source.columns",
                )
            yield rows
        except UnicodeDecodeError as error:
            raise UnreadableSource(
                f"{path.name} is no text in {encoding}: {error.reason}", code="source.text"
            ) from error
        except csv.Error as error:
            raise UnreadableSource(f"{path.name}, line {rows.line_num}: {error}", code="source.text") from error


def require_json_lines(path: Path, what: str) -> None:
    """Refuse a file that is something else altogether, by its first line that is not empty.

    Errors: UnreadableSource.
    """
    with open_bytes(path) as lines:
        first = next((line for line in lines if line.strip()), b"{}")
    if not first.lstrip().startswith(b"{"):
        raise UnreadableSource(f"{path.name} does not hold {what}: its first line is no JSON object")


def count_lines(path: Path) -> int:
    """How many lines a file has, for the progress bar."""
    with open_bytes(path) as data:
        return sum(block.count(b"\n") for block in iter(lambda: data.read(1 << 20), b""))


def number(text: str) -> float | None:
    """A finite number in a cell, None where there is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


def find(folder: Path, *names: str) -> Path | None:
    """The first of these files that lies in a folder (or is the path itself), plain or compressed."""
    for name in names:
        for ending in ("", ".zst", ".gz"):
            candidate = folder / (name + ending)
            if candidate.is_file():
                return candidate
    return None
