"""Cards find their topics by the rules of whichever curriculum is loaded, and what their tags say goes no further."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.conftest import fresh_database  # noqa: F401 (a catalogue of its own for each test)
from tests.ingest.importers.conftest import reviews, write_collection

from osler.catalog import curriculum_store
from osler.catalog.curriculum_store import load_curriculum, read_shipped
from osler.db.engine import Database
from osler.ingest.importers.anki import UNSORTED, AnkiSource
from osler.ingest.importers.record import ImportOptions
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.run import Importing, run_import

pytestmark = pytest.mark.integration
OWNER = UUID("5f0c0000-0000-4000-8000-0000000000a1")
OWN = b"""
format = "osler-curriculum/1"
id = "own"
name = "Own"
version = "1"
source = "ours"
[axes.system]
niere = "Niere"
"niere.stein" = "Steine"
"""
RULES = OWN + b'[tags]\n"niere.stein" = ["harnstein"]\nniere = ["renal"]\n'


async def imported(database: Database, path: Path) -> ImportReport:
    with AnkiSource(path, ImportOptions(zone="UTC", zone_is_given=True)) as source:
        return await run_import(Importing(database, OWNER), source)


async def load(database: Database, text: bytes) -> None:
    async with database.write() as s:
        assert (await load_curriculum(s, text)).changed


async def topics_of_cards(database: Database) -> set[tuple[str, ...]]:
    async with database.read(primary=True) as s:
        rows = await s.tuples(sa.text("select distinct topic_ids from cards where user_id = :u"), {"u": OWNER})
    return {tuple(row[0]) for row in rows}


async def test_the_rules_of_an_own_curriculum_map_tags_and_decks(database: Database, tmp_path: Path) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews(), tags="Urologie::Harnstein")
    await load(database, OWN)
    report = await imported(database, path)
    assert await topics_of_cards(database) == {(UNSORTED,)}
    assert any("has no rules for tags" in note for note in report.notes)
    await load(database, RULES)
    report = await imported(database, path)
    assert await topics_of_cards(database) == {("niere.stein",)}
    assert not any("no topic" in note for note in report.notes)


async def test_the_first_import_loads_the_shipped_rules_and_an_own_curriculum_stays(
    database: Database, tmp_path: Path
) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews(), tags="Step_1::Diuretics")
    await imported(database, path)
    assert await topics_of_cards(database) == {("renal.diuretics",)}


async def test_an_earlier_edition_of_the_shipped_curriculum_is_brought_up_to_date(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an installation that is older than the rules: nobody there chose to have none."""
    before = read_shipped("usmle").partition(b"\n# Words in tags")[0]
    await load(database, before)
    path = write_collection(tmp_path / "c.anki2", reviews(), tags="Step_1::Diuretics")
    await imported(database, path)
    assert await topics_of_cards(database) == {(UNSORTED,)}, "a file that somebody changed is left alone"
    monkeypatch.setattr(curriculum_store, "EARLIER_EDITIONS", frozenset({hashlib.sha256(before).hexdigest()}))
    await imported(database, path)
    assert await topics_of_cards(database) == {("renal.diuretics",)}


HOSTILE = [
    "=HYPERLINK(1)", "../../etc/passwd", "<script>alert(1)</script>", "\u202egnp.exe", "\x1b[2J\x07", "a\x00b",
    "x" * 10_000, "👩🏽‍⚕️🫀", "jane.doe@example.org", "'; drop table topics;--", "%s%n{0}", "\u200b\ufeff",
]  # fmt: skip


def hostile_collection(path: Path, schema: int) -> Path:
    """Every hostile text as a tag, a deck and what a card says; an id that is a text; a tag that is no UTF-8."""
    write_collection(path, reviews(), schema=schema)
    db = sqlite3.connect(path)
    db.create_collation("unicase", lambda a, b: (a > b) - (a < b))
    for at, text in enumerate(HOSTILE):
        note, card, deck = 500 + at, 900 + at, 50 + at
        db.execute("insert into notes values (?, ?, ?, ?)", (note, text, text, text))
        db.execute("insert into cards values (?, ?, ?, 2)", (card, note, deck))
        db.execute("insert into revlog values (?, ?, -1, 3, 4, -600, 2500, 7000, 1)", (reviews(1)[0][0] - 1 - at, card))
        if schema >= 18:
            db.execute("insert into decks values (?, ?)", (deck, f"{text}\x1f{text}"))
    if schema < 18:
        decks = {str(50 + at): {"name": f"{text}::{text}"} for at, text in enumerate(HOSTILE)}
        db.execute("update col set decks = ?", (json.dumps(decks),))
    db.execute("insert into notes values (700, cast(x'ff666f6f' as text), '', '')")
    db.execute("insert into cards values (800, 700, 'no number', 'none either')")
    db.commit()
    db.close()
    return path


@pytest.mark.parametrize("schema", [11, 18])
async def test_nothing_hostile_or_personal_in_tags_and_decks_is_stored_or_said(
    database: Database, tmp_path: Path, schema: int, capfd: pytest.CaptureFixture[str]
) -> None:
    report = await imported(database, hostile_collection(tmp_path / "c.anki2", schema))
    assert report.accepted == len(reviews()) + len(HOSTILE)
    said = repr(report.as_json()) + "".join(capfd.readouterr())
    async with database.read(primary=True) as s:
        stored = "".join(
            [
                str((await s.tuples(sa.text(f"select string_agg(t::text, ' ') from {table} t")))[0][0])
                for table in ("cards", "topics", "study_events", "question_attempts", "catalog_versions")
            ]
        )
    assert stored.count("own.cards") >= len(HOSTILE)
    for text in [*HOSTILE, "\ufffdfoo", "no number", "secret front"]:
        for place in (said, stored):
            assert text[:40] not in place, text[:40]


@pytest.mark.parametrize("decks", ["[1, 2]", "{", '{"a": 3}', '{"1": "\ud800"}'.encode("utf-8", "surrogatepass"), 7])
async def test_decks_that_cannot_be_read_leave_the_tags(database: Database, tmp_path: Path, decks: object) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews(), tags="Step_1::Diuretics")
    db = sqlite3.connect(path)
    db.execute("update col set decks = ?", (decks,))
    db.commit()
    db.close()
    await imported(database, path)
    assert await topics_of_cards(database) == {("renal.diuretics",)}
