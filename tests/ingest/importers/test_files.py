"""A file is untrusted: what is torn, foreign, a bomb or one endless line is refused before it is held."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
import zstandard

from osler.errors import UnreadableSource
from osler.ingest.importers.files import FREE_BYTES, count_lines, open_csv


def rows(path: Path, *columns: str) -> list[dict[str, str]]:
    with open_csv(path, columns) as found:
        return list(found)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_table_reads_the_same_however_it_is_packed(tmp_path: Path, ending: str) -> None:
    plain = "\ufeffa,b\n1,2\n3\n".encode()
    pack = {"": lambda b: b, ".gz": gzip.compress, ".zst": zstandard.compress}[ending]
    path = tmp_path / f"x.csv{ending}"
    path.write_bytes(pack(plain))
    assert rows(path, "a") == [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]
    assert count_lines(path) == 3


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_h21_a_bomb_is_refused_within_its_first_bytes(tmp_path: Path, ending: str) -> None:
    many = b"a,b\n" * ((FREE_BYTES + 4_000_000) // 4)
    path = tmp_path / f"x.csv{ending}"
    path.write_bytes(gzip.compress(many, 9) if ending == ".gz" else zstandard.compress(many, 19))
    began = time.monotonic()
    with pytest.raises(UnreadableSource, match="unpacks to far more") as caught:
        count_lines(path)
    assert caught.value.code == "source.too_large"
    assert time.monotonic() - began < 10


def test_h21_one_endless_line_is_refused_and_never_held(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        file.truncate(1024**3)  # a gigabyte of zeros that takes no room on the disk
    began = time.monotonic()
    with pytest.raises(UnreadableSource, match="a line of more than 1 MiB"):
        rows(path, "a")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_torn_file_is_said_to_be_torn(tmp_path: Path, pack: object) -> None:
    path = tmp_path / ("x.csv.gz" if pack is gzip.compress else "x.csv.zst")
    path.write_bytes(pack(b"a,b\n" + b"1,2\n3,4\n" * 9_000)[:-9])  # type: ignore[operator]
    with pytest.raises(UnreadableSource, match="torn"):
        rows(path, "a")


def test_a_missing_column_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n")
    with pytest.raises(UnreadableSource, match="no column c; it has a, b"):
        rows(path, "a", "c")


def test_what_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00\xd8binary")
    with pytest.raises(UnreadableSource, match="no text in utf-8"):
        rows(path, "a")


@pytest.mark.parametrize(("name", "what"), [("absent.csv", "is not there"), (".", "is a folder")])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(UnreadableSource, match=what):
        rows(tmp_path / name, "a")
