"""A folder is read like the files in it: of one kind, packed or not, one after the other."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from osler.errors import UnreadableSource
from osler.ingest.importers.record import Entries, ImportOptions
from osler.ingest.importers.sources import SourceName, open_source

PLAIN = "user_id,item_id,correct,skill_id\n"
CSV = "at,card,rating,deck\n"
MAPPING = """
type = "flashcard_review"
date_format = "%Y-%m-%d %H:%M:%S"
[columns]
at = "at"
item = "card"
rating = "rating"
topics = "deck"
"""
STATEMENT = (
    '{{"id":"01a200f9-a73c-75fe-b3ad-9bff21bce36{n}","actor":{{"mbox":"mailto:a@example.org"}},'
    '"verb":{{"id":"http://adlnet.gov/expapi/verbs/initialized"}},'
    '"object":{{"id":"https://example.org/m{n}"}},"timestamp":"2026-01-02T03:04:05Z"}}\n'
)
EVENT = (
    '{{"id":"01a200f9-a73c-75fe-b3ad-9bff21bce36{n}","type":"session_end","schema":1,'
    '"occurred_at":"2026-11-22T07:28:11.004+05:30","data":{{"reason":"user"}}}}\n'
)

FOLDERS = {
    SourceName.XAPI: ("a.jsonl", STATEMENT.format(n=1), "b.json", f"[{STATEMENT.format(n=2)},{STATEMENT.format(n=3)}]"),
    SourceName.CSV: (
        "a.csv", CSV + "2026-01-02 03:04:05,c1,3,Heart\n",
        "b.csv", CSV + "2026-01-03 03:04:05,c1,3,Lung\n2026-01-04 03:04:05,c2,3,Lung\n",
    ),
    SourceName.JSONL: ("a.jsonl", EVENT.format(n=1), "b.jsonl", EVENT.format(n=2) + EVENT.format(n=3)),
}  # fmt: skip


def read(name: SourceName, path: Path) -> tuple[list[str], int | None, Entries]:
    options = ImportOptions(mapping_file=path.parent / "m.toml" if name is SourceName.CSV else None)
    with open_source(name, path, options) as source:
        entries = source.entries()
        ids = [event["id"] for record in source.records() for event in record.events]
        return ids, source.total, entries


@pytest.fixture(params=FOLDERS)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[SourceName, Sequence[Path]]:
    """A kind, its folder, and the two files that lie there beside others."""
    first, one, second, two = FOLDERS[request.param]
    (tmp_path / "m.toml").write_text(MAPPING)
    folder = tmp_path / "folder"
    (folder / "further").mkdir(parents=True)
    (folder / "notes.txt").write_text("not this")
    files = [folder / f"{first}.gz", folder / f"{second}.zst"]
    files[0].write_bytes(gzip.compress(one.encode()))
    files[1].write_bytes(zstandard.compress(two.encode()))
    (tmp_path / first).write_text(one)
    (tmp_path / second).write_text(two)
    return request.param, [folder, tmp_path / first, tmp_path / second]


def test_a_folder_has_the_records_of_its_files_and_everything_that_they_need(
    given: tuple[SourceName, Sequence[Path]],
) -> None:
    name, (folder, first, second) = given
    (one, n_one, _), (two, n_two, needed) = read(name, first), read(name, second)
    ids, n, entries = read(name, folder)
    assert (len(one), len(two)) == (1, 2)
    assert ids == one + two
    assert n == (None if None in (n_one, n_two) else 3)
    assert needed.topics.items() <= entries.topics.items()
    assert needed.materials.items() <= entries.materials.items()
    if name is SourceName.CSV:
        assert entries.cards == {"c1": ("own.Heart", "own.Lung"), "c2": ("own.Lung",)}


def test_a_folder_with_one_file_is_that_file(given: tuple[SourceName, Sequence[Path]]) -> None:
    name, (folder, _, second) = given
    next(folder.glob("a.*")).unlink()
    assert read(name, folder) == read(name, second)


@pytest.mark.parametrize("name", [*FOLDERS, SourceName.ANKI, SourceName.ASSISTMENTS])
def test_a_folder_without_any_says_what_was_looked_for(tmp_path: Path, name: SourceName) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "m.toml").write_text(MAPPING)
    with pytest.raises(UnreadableSource, match="without a file that ends in"):
        read(name, tmp_path / "folder")


def test_of_a_folder_with_the_data_set_that_is_read_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "assist09_interactions.csv").write_text(PLAIN + "u,p1,1,7\n")
    (tmp_path / "grades.csv").write_text("a,b\n1,2\n")
    ids, n, _ = read(SourceName.ASSISTMENTS, tmp_path)
    assert (len(ids), n) == (1, 1)
    (tmp_path / "assist09_interactions.csv").rename(tmp_path / "mine.csv.old")
    assert len(read(SourceName.ASSISTMENTS, tmp_path / "mine.csv.old")[0]) == 1
    (tmp_path / "more.csv").write_text(PLAIN + "u,p1,0,8\n")
    with pytest.raises(UnreadableSource, match="several such files"):  # their places in the file would be the same
        read(SourceName.ASSISTMENTS, tmp_path)


def test_an_anki_profile_is_its_collection_and_several_exports_have_to_be_told_apart(
    tmp_path: Path, collection: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    for name in ("monday.anki2", "tuesday.anki2"):
        (exports / name).write_bytes(collection.read_bytes())
    with pytest.raises(UnreadableSource, match=r"several such files \(monday.anki2, tuesday.anki2\)"):
        read(SourceName.ANKI, exports)
    (exports / "monday.anki2").unlink()
    one = read(SourceName.ANKI, exports)
    assert one[0] == read(SourceName.ANKI, collection)[0] != []
    (exports / "collection.anki2").write_bytes(collection.read_bytes())
    assert read(SourceName.ANKI, exports)[0] == one[0]
