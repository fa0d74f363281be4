"""Anki's review log as native events: every rated review, every reset; nothing that a card says is read.

Source: the table `revlog` of Anki's collection: `id` epoch ms of the answer, `ease` the button, `ivl` and `lastIvl`
days when positive and seconds when negative, `factor` permille, `time` ms, `type` 0 to 5. Of `cards` the deck and
whether it is suspended, of `graves` which were deleted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from osler.catalog.tag_rules import RULES_VERSION
from osler.ingest.importers.anki_package import open_collection
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord, event

KINDS = {0: "learning", 1: "review", 2: "relearning", 3: "filtered"}
MANUAL, RESCHEDULED, FILTERED = 4, 5, 3
SUSPENDED = -1  # in `cards.queue`
MOST_SECONDS = 3600.0
SECONDS_A_DAY = 86_400
NAMESPACE = "anki"
FIRST_MS, LAST_MS = 946_684_800_000, 4_102_444_800_000  # 2000 and 2100
UNSORTED, UNSORTED_NAME = "own.cards", "Own cards without a topic"


class AnkiSource:
    """One learner's collection."""

    name = "anki"

    def __init__(self, path: Path, options: ImportOptions) -> None:
        self._path, self._options = path, options
        self._zones = options.zones()
        self._stack = ExitStack()
        self._suspended = frozenset[str]()
        self.total: int | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._db, self.notes = stack.enter_context(open_collection(self._path))
            self.total = int(self._db.execute("select count(*) from revlog").fetchone()[0])
            self._note_what_cannot_be_known()
            self._suspended = self._out_of_review()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def entries(self) -> Entries:
        """The learner's cards with their tags and deck names, which the curriculum's rules read."""
        decks = _deck_names(self._db)
        query = "select c.id, c.did, n.tags from cards c join notes n on n.id = c.nid"
        tagged = {
            str(card_id): (*str(tags).split(), decks.get(deck_id, ""))
            for card_id, deck_id, tags in self._db.execute(query)
            if isinstance(card_id, int)
        }
        own = {"own": "Own material", UNSORTED: UNSORTED_NAME}
        return Entries(
            topics=own,
            tagged=tagged,
            cards_mapped_by=RULES_VERSION,
            untagged=UNSORTED,
            suspended=self._suspended if self.total or self._suspended else None,  # without scheduling all look new
        )

    def records(self) -> Iterator[SourceRecord]:
        """One record for each row of the review log, in the order of time."""
        query = "select id, cid, ease, ivl, lastIvl, factor, time, type from revlog order by id"
        for row in self._db.execute(query):
            yield self._record(*row) if _is_whole(row) else SourceRecord(skipped="row_unreadable")

    def _record(  # noqa: PLR0917 (the columns of a row)
        self, at_ms: int, card: int, ease: int, ivl: int, last_ivl: int, factor: int, time_ms: int, kind: int
    ) -> SourceRecord:
        at = datetime.fromtimestamp(at_ms / 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
        at = self._zones.local(at)
        source_id = f"{card}:{at_ms}"
        if kind == MANUAL and factor == 0:
            return SourceRecord((event(NAMESPACE, source_id, "flashcard_reset", at, {"card_id": str(card)}),))
        if kind in (MANUAL, RESCHEDULED):
            return SourceRecord(skipped="set_by_hand" if kind == MANUAL else "rescheduled")
        if ease == 0:
            return SourceRecord(skipped="set_by_hand")
        if kind not in KINDS or not 1 <= ease <= 4:
            return SourceRecord(skipped="unknown_kind")
        data = {
            "card_id": str(card),
            "rating": ease,
            "kind": KINDS[kind],
            "time_to_answer_seconds": min(MOST_SECONDS, max(0, time_ms) / 1000),
            "affects_schedule": not (kind == FILTERED and factor == 0),
            "previous_interval_seconds": _seconds(last_ivl),
            "interval_seconds": _seconds(ivl),
            "ease_permille": factor if 0 < factor <= 10_000 else None,
        }
        return SourceRecord((event(NAMESPACE, source_id, "flashcard_review", at, data),))

    def _note_what_cannot_be_known(self) -> None:
        if not self.total:
            self.notes.append("the file has no reviews: it was exported without scheduling. Export a .colpkg instead")
            return
        if not self._options.zone_is_given:
            self.notes.append(
                f"Anki stores no time zone; {self._zones.said} was taken. Hours of review there: {self._hours()}. "
                "If that looks wrong, import with --zone; it cannot be changed afterwards"
            )
        easy_in_learning = self._db.execute("select count(*) from revlog where type = 0 and ease = 4").fetchone()[0]
        if not easy_in_learning:
            self.notes.append(
                "no learning card was ever answered with the fourth button: perhaps an old scheduler, "
                "whose third button meant Easy. The file does not say; buttons were taken as they are"
            )

    def _out_of_review(self) -> frozenset[str]:
        """Cards that are never asked again: suspended ones, and those that were deleted, of which reviews are left.

        A buried card is not one of them: Anki brings it back the next day.
        """
        suspended = _ids(self._db, "select id from cards where queue = ?", SUSPENDED)
        deleted = _ids(self._db, "select distinct cid from revlog where cid not in (select id from cards)")
        if "graves" in _tables(self._db):  # until the next synchronisation also those that were never reviewed
            deleted |= _ids(self._db, "select oid from graves where type = 0 and oid not in (select id from cards)")
        if suspended or deleted:
            self.notes.append(
                f"{len(suspended)} cards are suspended and {len(deleted)} no longer in the collection: they are never "
                "due and in no plan; what their reviews tell still counts"
            )
        return suspended | deleted

    def _hours(self) -> str:
        """The three busiest hours of the day: what the person who imports can check a zone against."""
        counts: Counter[int] = Counter()
        for (at_ms,) in self._db.execute("select id from revlog where ease > 0"):
            if FIRST_MS <= at_ms < LAST_MS:
                counts[self._zones.local(datetime.fromtimestamp(at_ms / 1000, UTC)).hour] += 1
        return ", ".join(f"{hour:02d}–{(hour + 1) % 24:02d} h ({n})" for hour, n in counts.most_common(3))


def _is_whole(row: tuple[Any, ...]) -> bool:
    """Whether a row holds numbers as Anki writes them; SQLite would let a text stand in any column."""
    return all(isinstance(value, int) for value in row) and FIRST_MS <= row[0] < LAST_MS


def _seconds(interval: int) -> int | None:
    """An interval in seconds: days when positive, seconds when negative."""
    return interval * SECONDS_A_DAY if interval > 0 else -interval or None


def _tables(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute("select name from sqlite_master where type = 'table'")}


def _ids(db: sqlite3.Connection, query: str, *values: int) -> frozenset[str]:
    return frozenset(str(row[0]) for row in db.execute(query, values) if isinstance(row[0], int))


def _deck_names(db: sqlite3.Connection) -> dict[object, str]:
    """Deck names by id: a table since schema 18, JSON in `col` before. Only used to find topics."""
    if "decks" in _tables(db):
        return {deck: str(name).replace("\x1f", "::") for deck, name in db.execute("select id, name from decks")}
    row = db.execute("select decks from col").fetchone()
    try:
        decks = msgspec.json.decode(str(row[0] or "{}") if row else "{}", type=dict[int, _Deck])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeEncodeError):
        return {}  # tags alone then
    return {deck: entry.name for deck, entry in decks.items()}


class _Deck(msgspec.Struct):
    """What is read of a deck in the JSON of schema 11."""

    name: str = ""
