"""Opening what somebody else made: plain, `.gz` or `.zst`, with a bound on what comes out of it."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import zstandard

from osler.errors import UnreadableSource

MOST_BYTES = 2 * 1024**3
MOST_LINE_BYTES = 1024 * 1024


class _Bounded(io.RawIOBase):
    """Reads through to another stream and stops a bomb: more than `most` bytes are refused, not stored."""

    def __init__(self, inner: IO[bytes], most: int, name: str) -> None:
        super().__init__()
        self._inner, self._left, self._name = inner, most, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableSource(
                f"{self._name} holds more than {MOST_BYTES // 1024**3} GiB; split it", code="source.too_large"
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_bytes(path: Path, most: int = MOST_BYTES) -> Generator[IO[bytes]]:
    """The uncompressed bytes of a file.

    Errors: UnreadableSource when the file is missing, torn, or holds more than `most` bytes.
    """
    if not path.is_file():
        raise UnreadableSource(f"there is no file {path}", code="source.missing")
    try:
        with path.open("rb") as raw, _decompressed(path, raw) as plain:
            yield cast("IO[bytes]", io.BufferedReader(_Bounded(plain, most, path.name), 1 << 20))
    except (gzip.BadGzipFile, EOFError, zstandard.ZstdError) as error:
        raise UnreadableSource(f"{path.name} is torn or not what its ending says: {error}") from error


@contextmanager
def _decompressed(path: Path, raw: IO[bytes]) -> Generator[IO[bytes]]:
    if path.suffix == ".gz":
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast("IO[bytes]", plain)
    elif path.suffix == ".zst":
        with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as plain:
            yield cast("IO[bytes]", plain)
    else:
        yield raw


@contextmanager
def open_csv(
    path: Path, required: tuple[str, ...], delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Generator[csv.DictReader[str]]:
    """The rows of a CSV file as dictionaries; a byte-order mark is dropped.

    Errors: UnreadableSource when a required column is missing, naming it and those that there are.
    """
    with open_bytes(path) as data, io.TextIOWrapper(data, encoding=encoding, newline="") as text:
        csv.field_size_limit(MOST_LINE_BYTES)
        rows = csv.DictReader(text, delimiter=delimiter)
        try:
            columns = rows.fieldnames or []
            missing = [name for name in required if name not in columns]
            if missing:
                raise UnreadableSource(
                    f"{path.name} has no column {', '.join(missing)}; it has {', '.join(columns) or 'none'}",
                    code="source.columns",
                )
            yield rows
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnreadableSource(f"{path.name}, line {rows.line_num}: {error}") from error


def count_lines(path: Path) -> int:
    """How many lines a file has, for the progress bar."""
    with open_bytes(path) as data:
        return sum(block.count(b"\n") for block in iter(lambda: data.read(1 << 20), b""))


def find(folder: Path, *names: str) -> Path | None:
    """The first of these files that lies in a folder (or is the path itself), plain or compressed."""
    for name in names:
        for ending in ("", ".zst", ".gz"):
            candidate = folder / (name + ending)
            if candidate.is_file():
                return candidate
    return None
