"""Small files of each kind, made here; nothing of the real records is kept in the project."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

Review = tuple[int, int, int, int, int, int, int, int, int]
FIRST_MS = 1_640_000_000_000
Write = Callable[[Path], Path]


def reviews(n: int = 6) -> list[Review]:
    """Rows of `revlog`: id, cid, usn, ease, ivl, lastIvl, factor, time, type."""
    return [(FIRST_MS + at * 60_000, 100 + at % 3, -1, 3, 4, -600, 2500, 7_000, 1) for at in range(n)]


def write_collection(
    path: Path,
    rows: Iterable[Review],
    *,
    tags: str = "",
    schema: int = 11,
    cards: Iterable[int] = (100, 101, 102),
    queues: Mapping[int, int] = {},
) -> Path:
    """A collection with some cards, in the shape of schema 11 or 18; `queues` says of a card where Anki keeps it."""
    db = sqlite3.connect(path)
    db.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    db.executescript(
        "create table col (id integer primary key, decks text);"
        "create table notes (id integer primary key, tags text, flds text, sfld text);"
        "create table cards (id integer primary key, nid integer, did integer, queue integer);"
        "create table graves (usn integer, oid integer, type integer);"
        "create table revlog (id integer primary key, cid integer, usn integer, ease integer, ivl integer,"
        " lastIvl integer, factor integer, time integer, type integer);"
    )
    if schema >= 18:
        db.execute("create table decks (id integer primary key, name text collate unicase)")
        db.execute("insert into decks values (1, 'Step 1' || char(31) || 'Renal')")
        db.execute("insert into col values (1, '')")
    else:
        db.execute("""insert into col values (1, '{"1": {"name": "Step 1::Renal"}}')""")
    db.execute("insert into notes values (1, ?, 'secret front', 'secret front')", (tags,))
    db.executemany("insert into cards values (?, 1, 1, ?)", [(card, queues.get(card, 2)) for card in cards])
    db.executemany("insert into revlog values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(rows))
    db.commit()
    db.close()
    return path


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A small collection of schema 11."""
    return write_collection(tmp_path / "collection.anki2", reviews())
