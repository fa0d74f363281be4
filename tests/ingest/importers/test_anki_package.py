"""One history, whatever it is packed in: once; what is no collection, or a trap, is refused quickly and says why."""

from __future__ import annotations

import gzip
import sqlite3
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.ingest.importers.conftest import reviews, write_collection

from osler.errors import UnreadableSource
from osler.ingest.importers.anki import AnkiSource
from osler.ingest.importers.record import ImportOptions

LATEST, LEGACY = b"\x08\x03", b"\x08\x02"


def ids(path: Path) -> list[str]:
    with AnkiSource(path, ImportOptions()) as source:
        return [event["id"] for record in source.records() for event in record.events]


def dummy(folder: Path) -> Path:
    """What new packages carry for old programs: a collection without any history."""
    return write_collection(folder / "dummy.anki2", [])


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name.replace("__", "."), content)
    return path


def containers(collection: Path, folder: Path) -> list[Path]:
    """The same collection as every kind of file that Anki has written so far."""
    plain = collection.read_bytes()
    nothing = dummy(folder).read_bytes()
    bare = folder / "collection.anki21b"
    bare.write_bytes(zstandard.compress(plain))
    return [
        collection,
        packed(folder / "old.apkg", collection__anki2=plain, media=b"{}"),
        packed(folder / "middle.colpkg", collection__anki21=plain, collection__anki2=nothing, meta=LEGACY),
        packed(
            folder / "new.colpkg", collection__anki21b=zstandard.compress(plain), collection__anki2=nothing, meta=LATEST
        ),
        bare,
    ]


def test_every_container_gives_the_same_ids(collection: Path, tmp_path: Path) -> None:
    expected = ids(collection)
    assert len(expected) == len(reviews())
    for path in containers(collection, tmp_path):
        assert ids(path) == expected, path.name


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_every_container_may_be_packed_once_more(
    collection: Path, tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    expected = ids(collection)
    for path in containers(collection, tmp_path):
        more = tmp_path / f"{path.name}{ending}"
        more.write_bytes(pack(path.read_bytes()))
        assert ids(more) == expected, more.name
    more = tmp_path / f"last{ending}"
    more.write_bytes(pack(collection.read_bytes())[:-9])
    assert refused(more).code == "anki.torn"
    more.write_bytes(pack(pack(pack(collection.read_bytes()))))
    assert refused(more).code == "anki.format"
    more.write_bytes(pack(bytes(80 * 1024 * 1024)))
    assert refused(more).code == "source.too_large"


def test_schema_18_reads_deck_names_out_of_their_own_table(tmp_path: Path) -> None:
    found = []
    for schema in (11, 18):
        path = write_collection(tmp_path / f"{schema}.anki2", reviews(), schema=schema)
        with AnkiSource(path, ImportOptions()) as source:
            found.append(source.entries().tagged)
    assert found[0] == found[1] == {str(card): ("Step 1::Renal",) for card in (100, 101, 102)}


def test_nothing_that_a_card_says_is_read(collection: Path) -> None:
    with AnkiSource(collection, ImportOptions()) as source:
        assert "secret" not in repr((source.entries(), list(source.records()), source.notes))


def test_changes_that_anki_has_not_written_back_are_pointed_out(collection: Path) -> None:
    Path(f"{collection}-wal").write_bytes(b"x")
    with AnkiSource(collection, ImportOptions()) as source:
        assert any("close Anki first" in note for note in source.notes)


def test_a_package_without_scheduling_says_what_to_export_instead(tmp_path: Path) -> None:
    with AnkiSource(dummy(tmp_path), ImportOptions()) as source:
        assert any(".colpkg" in note for note in source.notes)


def refused(path: Path) -> UnreadableSource:
    """The refusal, which comes within H21's ten seconds."""
    began = time.monotonic()
    with pytest.raises(UnreadableSource) as caught:
        ids(path)
    assert time.monotonic() - began < 10
    return caught.value


def test_h21_a_zip_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    zeros = bytes(80 * 1024 * 1024)
    assert refused(packed(tmp_path / "zip.apkg", collection__anki2=zeros)).code == "source.too_large"
    bomb = packed(tmp_path / "z.colpkg", collection__anki21b=zstandard.compress(zeros), meta=LATEST)
    assert refused(bomb).code == "source.too_large"


def test_h21_names_that_lead_out_of_the_folder_lead_nowhere(tmp_path: Path) -> None:
    trap = tmp_path / "inside" / "trap.apkg"
    trap.parent.mkdir()
    with zipfile.ZipFile(trap, "w") as package:
        package.writestr("../../collection.anki2", b"SQLite format 3\x00")
        package.writestr("/etc/collection.anki21", b"x")
    assert refused(trap).code == "anki.format"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside"]


def test_h21_a_view_in_the_place_of_the_review_log_is_not_queried(collection: Path) -> None:
    db = sqlite3.connect(collection)
    db.executescript(
        "drop table revlog; create view revlog as with recursive c(id) as (select 1 union all select id + 1 from c)"
        " select id, id as cid, 1 as usn, 3 as ease, 1 as ivl, 1 as lastIvl, 1 as factor, 1 as time, 1 as type from c;"
    )
    db.close()
    assert "no table revlog" in refused(collection).text


@pytest.mark.parametrize("at", [100, 4_096, 40_000])
def test_h21_damaged_pages_are_refused(tmp_path: Path, at: int) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews(2_000))
    content = bytearray(path.read_bytes())
    content[at : at + 3_000] = b"\xff" * 3_000
    path.write_bytes(bytes(content))
    refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 torn", b"no collection", zstandard.compress(b"x" * 9_999)[:-4]], ids=str
)
def test_what_is_no_collection_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.colpkg"
    path.write_bytes(content)
    refused(path)


def test_a_row_with_text_in_a_column_of_numbers_is_counted_and_not_stored(tmp_path: Path) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews(2))
    db = sqlite3.connect(path)
    db.execute("insert into revlog values (1640000999000, 1, 0, 'good', 1, 1, 1, 1, 1), (5, 1, 0, 3, 1, 1, 1, 1, 1)")
    db.commit()
    db.close()
    with AnkiSource(path, ImportOptions()) as source:
        assert [record.skipped for record in source.records()] == ["row_unreadable", None, None, "row_unreadable"]
