"""What a row of the review log means, and where the learner was when it was written."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.ingest.importers.conftest import FIRST_MS, Review, reviews, write_collection

from osler.errors import UnreadableSource
from osler.ingest.importers.anki import AnkiSource
from osler.ingest.importers.record import ImportOptions, SourceRecord
from osler.ingest.importers.zones import zones_of


def read(path: Path, rows: list[Review], zone: str = "UTC") -> list[SourceRecord]:
    write_collection(path / "c.anki2", rows)
    with AnkiSource(path / "c.anki2", ImportOptions(zone=zone, zone_is_given=True)) as source:
        return list(source.records())


def row(ease: int, kind: int, factor: int = 2500, ivl: int = 4, last: int = -600, time: int = 7_000) -> Review:
    return FIRST_MS, 100, -1, ease, ivl, last, factor, time, kind


def test_intervals_are_days_when_positive_and_seconds_when_negative(tmp_path: Path) -> None:
    (record,) = read(tmp_path, [row(3, 1)])
    data = record.events[0]["data"]
    assert (data["interval_seconds"], data["previous_interval_seconds"]) == (4 * 86_400, 600)
    assert (data["rating"], data["kind"], data["time_to_answer_seconds"]) == (3, "review", 7.0)


@pytest.mark.parametrize(
    ("ease", "kind", "factor", "expected"),
    [
        (0, 4, 0, "flashcard_reset"),
        (0, 4, 2500, "set_by_hand"),
        (0, 5, 2500, "rescheduled"),
        (0, 1, 2500, "set_by_hand"),
        (3, 9, 2500, "unknown_kind"),
        (3, 3, 0, "flashcard_review"),
    ],
)
def test_what_was_not_answered_is_counted_by_its_reason(
    tmp_path: Path, ease: int, kind: int, factor: int, expected: str
) -> None:
    (record,) = read(tmp_path, [row(ease, kind, factor)])
    assert expected == (record.skipped or record.events[0]["type"])


def test_cramming_does_not_count_for_the_schedule(tmp_path: Path) -> None:
    (crammed,) = read(tmp_path, [row(3, 3, factor=0)])
    assert crammed.events[0]["data"]["affects_schedule"] is False


@pytest.mark.parametrize(
    ("instant", "wall"),
    [
        ("2021-10-31T00:30:00", "2021-10-31T01:30:00.000+01:00"),
        ("2021-10-31T01:30:00", "2021-10-31T01:30:00.000+00:00"),
        ("2022-03-27T01:00:00", "2022-03-27T02:00:00.000+01:00"),
    ],
)
def test_the_hour_that_autumn_has_twice_keeps_both_its_offsets(tmp_path: Path, instant: str, wall: str) -> None:
    at_ms = int(datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp() * 1000)
    (record,) = read(tmp_path, [(at_ms, *row(3, 1)[1:])], "Europe/London")
    assert record.events[0]["occurred_at"] == wall


def test_who_moved_brings_a_file_of_zones(tmp_path: Path) -> None:
    moves = tmp_path / "moves.csv"
    moves.write_text("from,zone\n2021-12-21,Asia/Kolkata\n2020-01-01,Europe/London\n")
    day = 86_400_000
    found = read(tmp_path, [(FIRST_MS + n * day, *row(3, 1)[1:]) for n in (0, 1, 2)], str(moves))
    assert [record.events[0]["occurred_at"][-6:] for record in found] == ["+00:00", "+05:30", "+05:30"]
    assert zones_of(str(moves)).said == "Europe/London, then Asia/Kolkata"


@pytest.mark.parametrize("text", ["Mars/Olympus", "/nowhere/moves.csv"])
def test_a_zone_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UnreadableSource, match="there is no time zone"):
        zones_of(text)


def test_a_move_that_is_none_is_quoted(tmp_path: Path) -> None:
    moves = tmp_path / "moves.csv"
    moves.write_text("2021-12-21;Asia/Kolkata\n")
    with pytest.raises(UnreadableSource, match="2021-12-21;Asia/Kolkata"):
        zones_of(str(moves))


@pytest.mark.parametrize("schema", [11, 18])
def test_suspended_and_deleted_cards_are_told_and_buried_ones_are_not(tmp_path: Path, schema: int) -> None:
    path = write_collection(
        tmp_path / "c.anki2", reviews(), schema=schema, cards=(100, 101, 103, 104), queues={101: -1, 103: -2, 104: -3}
    )
    db = sqlite3.connect(path)
    db.execute("insert into graves (oid, type) values (900, 0), (901, 1), (902, 2)")  # a card, a note, a deck
    db.commit()
    db.close()
    with AnkiSource(path, ImportOptions()) as source:
        assert source.entries().suspended == {"101", "102", "900"}
        assert [note for note in source.notes if "1 cards are suspended and 2 no longer in the collection" in note]


def test_a_collection_without_such_cards_says_nothing_of_them(tmp_path: Path) -> None:
    with AnkiSource(write_collection(tmp_path / "c.anki2", reviews()), ImportOptions()) as source:
        assert source.entries().suspended == frozenset()
        assert not [note for note in source.notes if "suspended" in note]


@pytest.mark.parametrize(("queues", "told"), [({}, None), ({101: -1}, frozenset({"101"}))])
def test_a_file_without_scheduling_takes_no_card_up_again(
    tmp_path: Path, queues: dict[int, int], told: frozenset[str] | None
) -> None:
    write_collection(tmp_path / "c.anki2", [], queues=queues)
    with AnkiSource(tmp_path / "c.anki2", ImportOptions()) as source:
        assert source.entries().suspended == told
