"""How do Osler's own log and an Anki collection become a table of reviews?"""

from __future__ import annotations

import gzip
import io
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
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


def read_log(file: Path, notes: list[str], members: list[tuple[str, str]] | None = None) -> Rows:
    """The card reviews of Osler's log, one event a line in its wire form; without `user_id` a file is one learner.

    `members` takes (learner, cohort) of the lines that say so.

    Cramming (`affects_schedule: false`) and other event types are left out and counted; after a `flashcard_reset` a
    card counts as a new one; a repeated `id` counts once.
    Errors: UnreadableSource naming the line.
    """
    rows: list[_Row] = []
    resets: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    skipped: Counter[str] = Counter()
    # A reset belongs between reviews in time, whatever the order of the lines.
    for line, event in sorted(_events(file, members), key=lambda numbered: _when(file, *numbered)):
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
            rows.append(_review(file, line, event, resets))
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
        rows.append(_Row(file.stem, f"{card}/{resets[card]}", at_ms / 1000.0, day, ease, number))
    if left_out:
        notes.append(f"Left out: {left_out} entries of {file.name} that are cramming, manual or resets.")
    notes.append(f"{file.name}: local days start at 04:00 UTC.")
    return _columns(rows, file)


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
        line=np.array([row.line for row in rows], dtype=np.int64),
        file=np.full(size, file.name),
    )


def _events(file: Path, members: list[tuple[str, str]] | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
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
        elif members is not None and event.get("table") == "cohort_members":
            row = event.get("row", {})
            if row.get("role", "learner") == "learner":
                members.append((str(row.get("user_id")), str(row.get("cohort_id"))))


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
        at = datetime.fromisoformat(str(event["occurred_at"]))
    except (KeyError, ValueError) as error:
        raise UnreadableSource(f"{file.name}, line {line}: occurred_at is missing or no time.") from error
    if at.tzinfo is None:
        raise UnreadableSource(f"{file.name}, line {line}: occurred_at has no UTC offset.")
    return at


def _card(file: Path, line: int, event: Mapping[str, Any]) -> tuple[str, str]:
    card = event["data"].get("card_id")
    if card is None:
        raise UnreadableSource(f"{file.name}, line {line}: a card event needs data.card_id.")
    return str(event.get("user_id", file.name.split(".")[0])), str(card)


def _review(file: Path, line: int, event: Mapping[str, Any], resets: Counter[tuple[str, str]]) -> _Row:
    user, card = _card(file, line, event)
    at = _instant(file, line, event)
    rating = event["data"].get("rating")
    if rating not in (1, 2, 3, 4):
        raise UnreadableSource(f"{file.name}, line {line}: rating is none of 1, 2, 3, 4.")
    given = event.get("local_date")
    day = date.fromisoformat(given) if isinstance(given, str) else local_day(at)
    return _Row(user, f"{card}/{resets[user, card]}", at.timestamp(), day.toordinal(), int(rating), line)
