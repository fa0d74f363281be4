"""How do Osler's own log and an Anki collection become a table of reviews?"""

from __future__ import annotations

import gzip
import io
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zstandard

from osler.domain.local_day import local_day
from osler.errors import UnreadableSource
from osler.evaluate.recall_rows import Rows
from osler.science.ratings import AnkiUse, anki_use

BESIDE = frozenset({"export", "catalogue", "table"})
"""What marks the lines that an export has besides events."""

DAY_START_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True)
class _Row:
    user: str
    card: str
    ts: float
    day: int
    rating: int
    line: int
    topic: str = ""


@dataclass(slots=True)
class _Said:
    """What the lines beside the events say: (learner, cohort) pairs, and the topics of cards."""

    members: list[tuple[str, str]]
    topics: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def take(self, table: object, row: Mapping[str, Any]) -> None:
        """One line of an export that is no event."""
        if table == "cohort_members" and row.get("role", "learner") == "learner":
            self.members.append((str(row.get("user_id")), str(row.get("cohort_id"))))
        elif table == "cards" and row.get("topic_ids"):
            self.topics[str(row.get("user_id", "")), str(row.get("card_id"))] = ";".join(row["topic_ids"])

    def topic_of(self, user: str, card: str, event: Mapping[str, Any]) -> str:
        """As the learner's cards have it, else as the event names it; several topics are one, as of an answer."""
        known = self.topics.get((user, card)) or self.topics.get(("", card))
        return known or ";".join(event.get("topic_ids") or ())


def read_log(file: Path, notes: list[str], members: list[tuple[str, str]] | None = None) -> Rows:
    """The card reviews of Osler's log, one event a line in its wire form; without `user_id` a file is one learner.

    `members` takes (learner, cohort) of the lines that say so. Instants and local days are those that the server
    concluded, where an export has them.

    Cramming (`affects_schedule: false`) and other event types are left out and counted; after a `flashcard_reset` a
    card counts as a new one; a repeated `id` counts once.
    Errors: UnreadableSource naming the line.
    """
    rows: list[_Row] = []
    said = _Said([] if members is None else members)
    resets: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    skipped: Counter[str] = Counter()
    # A reset belongs between reviews in time, whatever the order of the lines.
    for line, event in sorted(_events(file, said), key=lambda numbered: _when(file, *numbered)):
        identity = str(event.get("id", event.get("event_id", f"line {line}")))
        kind = event.get("type", event.get("event_type"))
        if identity in seen:
            skipped["repeated events"] += 1
        elif kind == "flashcard_reset":
            resets[_card(file, line, event)] += 1
        elif kind != "flashcard_review":
            skipped["events that are no card review"] += 1
        elif not event["data"].get("affects_schedule", True):
            skipped["reviews outside the schedule"] += 1
        else:
            rows.append(_review(file, line, event, resets, said))
        seen.add(identity)
    notes.extend(f"Left out: {count} {what}." for what, count in sorted(skipped.items()))
    return _columns(rows, file)


def read_anki(file: Path, notes: list[str]) -> Rows:
    """The reviews of an Anki collection's `revlog`, cards of deleted notes too; the collection is one learner.

    Days start at 04:00 UTC, as a collection does not say where its owner lives.
    Errors: UnreadableSource where the file is no collection.
    """
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
            log = connection.execute("select id, cid, ease, factor, type from revlog order by id").fetchall()
            decks = _decks(connection)
    except sqlite3.Error as error:
        raise UnreadableSource(f"{file.name} is no Anki collection: {error}") from error
    rows: list[_Row] = []
    resets: Counter[int] = Counter()
    left_out = 0
    for number, (at_ms, card, ease, factor, kind) in enumerate(log, start=1):
        use = anki_use(entry_type=kind, ease=ease, factor_permille=factor)
        resets[card] += use is AnkiUse.RESET
        if use is not AnkiUse.REVIEW:
            left_out += 1
            continue
        day = (at_ms // 1000 - DAY_START_SECONDS) // 86_400
        name = f"{card}/{resets[card]}"
        rows.append(_Row(file.stem, name, at_ms / 1000.0, day, ease, number, decks.get(card, "")))
    if left_out:
        notes.append(f"Left out: {left_out} entries of {file.name} that are cramming, manual or resets.")
    notes.append(f"{file.name}: local days start at 04:00 UTC.")
    return _columns(rows, file)


def _decks(db: sqlite3.Connection) -> dict[int, str]:
    """The deck of each card that is still there; of one that is studied elsewhere for a while, its own deck."""
    tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    if "cards" not in tables:
        return {}
    if "decks" in tables:
        names = {int(deck): str(name).replace("\x1f", "::") for deck, name in db.execute("select id, name from decks")}
    else:
        (text,) = db.execute("select decks from col").fetchone()
        names = {int(deck): str(entry.get("name", "")) for deck, entry in msgspec.json.decode(text).items()}
    of_cards = db.execute("select id, case when odid <> 0 then odid else did end from cards")
    return {int(card): names.get(int(deck), "") for card, deck in of_cards}


def _columns(rows: list[_Row], file: Path) -> Rows:
    size = len(rows)
    return Rows(
        user=np.array([row.user for row in rows], dtype=np.str_),
        card=np.array([row.card for row in rows], dtype=np.str_),
        ts=np.array([row.ts for row in rows], dtype=np.float64),
        day=np.array([row.day for row in rows], dtype=np.float64),
        rating=np.array([row.rating for row in rows], dtype=np.float64),
        grade=np.full(size, np.nan),
        stated=np.full(size, np.nan),
        topic=np.array([row.topic for row in rows], dtype=np.str_),
        line=np.array([row.line for row in rows], dtype=np.int64),
        file=np.full(size, file.name),
    )


def _events(file: Path, said: _Said) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise UnreadableSource(f"{file.name}, line {number}: no event ({error}).") from error
        if not isinstance(event.setdefault("data", {}), dict):
            raise UnreadableSource(f"{file.name}, line {number}: data is no object.")
        if not event.keys() & BESIDE:
            yield number, event
        else:
            said.take(event.get("table", event.get("catalogue")), event.get("row", {}))


def _lines(file: Path) -> Iterator[str]:
    if file.name.endswith(".gz"):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            yield from stream
    elif file.name.endswith(".zst"):
        with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            yield from io.TextIOWrapper(stream, encoding="utf-8")
    else:
        with file.open(encoding="utf-8") as stream:
            yield from stream


def _when(file: Path, line: int, event: Mapping[str, Any]) -> tuple[float, int]:
    return _instant(file, line, event).timestamp(), line


def _instant(file: Path, line: int, event: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(_stored(event).get("effective_at") or event["occurred_at"]))
    except (KeyError, ValueError) as error:
        raise UnreadableSource(f"{file.name}, line {line}: occurred_at is missing or no time.") from error
    if at.tzinfo is None:
        raise UnreadableSource(f"{file.name}, line {line}: occurred_at has no UTC offset.")
    return at


def _stored(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the server concluded of an event; nothing in a log of other making."""
    return event.get("stored") or {}


def _card(file: Path, line: int, event: Mapping[str, Any]) -> tuple[str, str]:
    card = event["data"].get("card_id")
    if card is None:
        raise UnreadableSource(f"{file.name}, line {line}: a card event needs data.card_id.")
    return str(event.get("user_id", file.name.split(".")[0])), str(card)


def _review(file: Path, line: int, event: Mapping[str, Any], resets: Counter[tuple[str, str]], said: _Said) -> _Row:
    user, card = _card(file, line, event)
    at = _instant(file, line, event)
    rating = event["data"].get("rating")
    if rating not in (1, 2, 3, 4):
        raise UnreadableSource(f"{file.name}, line {line}: rating is none of 1, 2, 3, 4.")
    given = _stored(event).get("local_date", event.get("local_date"))
    day = date.fromisoformat(given) if isinstance(given, str) else local_day(at)
    name, topic = f"{card}/{resets[user, card]}", said.topic_of(user, card, event)
    return _Row(user, name, at.timestamp(), day.toordinal(), int(rating), line, topic)
