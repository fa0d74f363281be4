"""An Anki collection, whatever it is packed in: `.anki2`, `.anki21`, `.anki21b`, `.apkg`, `.colpkg`.

A package is a zip. `meta` with version 3 means `collection.anki21b`, a zstandard-compressed database; else
`collection.anki21` if it is there, else `collection.anki2`. New packages also carry a dummy `collection.anki2` with
one note for old programs: choosing that would import nothing. Media is never unpacked.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

import zstandard

from osler import clock
from osler.errors import UnreadableSource
from osler.ingest.importers.files import MOST_BYTES, Budget
from osler.ingest.importers.unpacking import ZstdStream

BLOCK = 1 << 20
CHECK_SECONDS = 30.0
MOST_CELL_BYTES = 16 * 1024**2
_SQLITE = b"SQLite format 3\x00"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LATEST_META = 3


@contextmanager
def open_collection(path: Path) -> Generator[tuple[sqlite3.Connection, list[str]]]:
    """The collection's database, read-only, and what there is to say about it.

    Errors: UnreadableSource for what is no collection, is torn, or is more than one person's collection can be; also
    for damage that is met while the collection is read.
    """
    if not path.is_file():
        raise UnreadableSource(f"{path} is not there", code="source.missing")
    with tempfile.TemporaryDirectory(prefix="osler-anki-") as folder:
        database, notes = _database(path, Path(folder))
        connection = _open_readonly(database)
        try:
            _check(connection, path)
            yield connection, notes
        except sqlite3.DatabaseError as error:
            raise UnreadableSource(
                f"{path.name} is damaged: {error}. Run Tools > Check Database in Anki", code="anki.torn"
            ) from error
        finally:
            connection.close()


def _database(path: Path, folder: Path, layers: int = 2) -> tuple[Path, list[str]]:
    head = _head(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UnreadableSource(f"{path.name} is larger than 2 GiB; no collection is", code="source.too_large")
    if head.startswith(_SQLITE):
        notes: list[str] = []
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size:
            notes.append(f"{wal.name} is not empty: Anki has changes there that are not in the file; close Anki first")
        return path, notes
    if layers and head.startswith((_ZSTD, _GZIP)):
        inside = folder / str(layers)
        inside.mkdir()
        return _database(_unpack(path, inside / path.stem, size), folder, layers - 1)
    if zipfile.is_zipfile(path):
        try:
            return _from_package(path, folder), []
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise UnreadableSource(f"{path.name} is torn or locked: {error}", code="anki.torn") from error
    raise UnreadableSource(
        f"{path.name} is no Anki collection: neither a database nor a package. Export it from Anki as .colpkg",
        code="anki.format",
    )


def _unpack(path: Path, target: Path, size: int) -> Path:
    if _head(path).startswith(_ZSTD):
        with path.open("rb") as packed:
            return _unpack_zstd(packed, target, size)
    try:
        with gzip.open(path) as plain:
            return _copy(plain, target, size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableSource(f"{path.name} is torn: {error}", code="anki.torn") from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _from_package(path: Path, folder: Path) -> Path:
    """Unpack the one file that matters under a name of ours: names inside the zip lead nowhere."""
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        if "meta" in names and _meta_version(package) >= _LATEST_META and "collection.anki21b" in names:
            with package.open("collection.anki21b") as packed:
                size = package.getinfo("collection.anki21b").compress_size
                return _unpack_zstd(packed, folder / "collection", size)
        name = next((n for n in ("collection.anki21", "collection.anki2") if n in names), None)
        if name is None:
            raise UnreadableSource(f"{path.name} is a zip without an Anki collection in it", code="anki.format")
        with package.open(name) as plain:
            return _copy(plain, folder / "collection", package.getinfo(name).compress_size)


def _meta_version(package: zipfile.ZipFile) -> int:
    """Field 1 of a protobuf message, a varint: the one number in `meta` that is needed."""
    with package.open("meta") as file:
        data = file.read(64)
    if len(data) < 2 or data[0] != 0x08:
        return 1
    return data[1] & 0x7F


def _unpack_zstd(packed: IO[bytes], target: Path, packed_bytes: int) -> Path:
    try:
        return _copy(ZstdStream(packed), target, packed_bytes)
    except zstandard.ZstdError as error:
        raise UnreadableSource(f"the collection in the package is torn: {error}", code="anki.torn") from error


def _copy(source: IO[bytes] | ZstdStream | gzip.GzipFile, target: Path, packed_bytes: int) -> Path:
    budget = Budget("the package", packed_bytes)
    with target.open("wb") as out:
        while block := source.read(BLOCK):
            budget.spend(len(block))
            out.write(block)
    return target


def _open_readonly(database: Path) -> sqlite3.Connection:
    """Immutable and read-only; schema 18 needs its own collation even to read the deck table."""
    connection = sqlite3.connect(f"file:{quote(os.fsencode(database))}?mode=ro&immutable=1", uri=True)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL_BYTES)
    # What is no UTF-8 is read all the same: the complaint about it would say the text.
    connection.text_factory = _any_text
    connection.execute("pragma trusted_schema = off")
    connection.create_collation("unicase", _compare_caseless)
    return connection


def _any_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _compare_caseless(a: str, b: str) -> int:
    left, right = a.casefold(), b.casefold()
    return (left > right) - (left < right)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Tables, not views of the same name; whole pages. A check that takes too long is given up with the file."""
    give_up_at = clock.monotonic_seconds() + CHECK_SECONDS
    connection.set_progress_handler(lambda: clock.monotonic_seconds() > give_up_at, 100_000)
    tables = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    missing = {"revlog", "cards", "notes", "col"} - tables
    if missing:
        raise UnreadableSource(
            f"{path.name} has no table {', '.join(sorted(missing))}: it is no Anki collection", code="anki.format"
        )
    verdict = connection.execute("pragma quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    connection.set_progress_handler(None, 0)
