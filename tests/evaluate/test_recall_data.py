import gzip
import json
import sqlite3

import numpy as np
import pytest

from osler.errors import UnreadableSource
from osler.evaluate.recall_data import read
from osler.science.ratings import Scale

HEAD = "user,card,ts,day,rating,supermemo_grade,p_sm15,dur\n"


@pytest.fixture
def table(tmp_path):
    def write(text: str, name: str = "reviews.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_optional_columns_may_be_empty_or_absent(table):
    full = read(table(HEAD + "a,1,0,0,3,,,\na,1,86400,1,1,,,500\n"))
    bare = read(table("user,card,ts,day,rating\na,1,0,0,3\na,1,86400,1,1\n"))
    for data in (full, bare):
        assert data.reviews == 2
        assert data.learners[0].history.next_day.tolist() == [False, True]
        assert np.isnan(data.learners[0].stated).all()
        assert data.learners[0].scale is Scale.RATING


def test_without_a_day_local_days_start_at_four_utc_and_the_report_says_so(table):
    data = read(table(f"user,card,ts,rating\na,1,{3 * 3600},3\na,1,{5 * 3600},3\n"))
    assert data.learners[0].history.local_days.tolist() == [0, 1]
    assert "04:00" in data.notes[0]


def test_milliseconds_are_known_for_what_they_are_and_the_report_says_so(table):
    seconds = read(table("user,card,ts,rating\na,1,1700000000,3\na,1,1700172800,3\n"))
    milli = read(table("user,card,ts,rating\na,1,1700000000000,3\na,1,1700172800000,3\n"))
    for data in (seconds, milli):
        assert data.learners[0].history.days.tolist() == [0, 2]
        assert data.learners[0].history.local_days.tolist() == [0, 2]
    assert any("2 instants (ts) are taken as milliseconds" in note for note in milli.notes)
    assert not any("milliseconds" in note for note in seconds.notes)


def test_a_day_before_the_items_last_one_counts_as_the_same_day_and_the_report_says_how_often(table):
    rows = "a,1,100,5,3\na,2,150,9,3\na,1,200,3,3\na,1,300,4,3\nb,1,400,1,3\n"
    data = read(table("user,card,ts,day,rating\n" + rows))
    assert data.learners[0].history.local_days.tolist() == [0, 0, 0, 1]
    assert [note for note in data.notes if note.startswith("1 reviews have a day before")]


def test_rows_are_folded_in_order_of_time_then_card_whatever_their_order(table):
    data = read(table("user,card,ts,day,rating\na,10,5,0,1\na,9,5,0,2\na,10,1,0,3\n"))
    assert data.learners[0].history.rating.tolist() == [3, 2, 1]


def test_a_supermemo_grade_decides_the_rating_and_codes_are_left_out(table):
    data = read(table(HEAD + "a,1,0,0,,2,.9,\na,2,1,0,1,5,,\na,3,2,0,3,8,,\n"))
    assert data.learners[0].history.rating.tolist() == [1, 4]
    assert data.learners[0].quality.tolist() == [2, 5]
    assert data.learners[0].scale is Scale.SUPERMEMO
    assert any("codes above 5" in note for note in data.notes)
    assert any("1 ratings differ" in note for note in data.notes)


def test_card_and_user_ids_may_be_text(table):
    data = read(table("user,card,ts,day,rating\n7,x-1,0,0,3\n7,x-1,90000,1,3\n"))
    assert data.learners[0].user == "7"
    assert data.learners[0].history.next_day.sum() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,card,rating\na,1,3\n", "lacks the columns ts"),
        ("user,card,ts,day\na,1,3,0\n", "lacks the columns rating"),
        ("user,card,ts,day,rating\na,1,0,0,3\na,1,soon,1,3\n", "line 3: ts is no number"),
        ("user,card,ts,day,rating\na,1,0,0,7\n", "line 2: the row has a rating"),
        ("user,card,ts,day,rating\na,1,0,0,\n", "line 2: the row has a rating"),
        ("user,card,ts,day,rating\na,1,,0,3\n", "line 2: the row has no instant"),
        ("user,card,ts,day,rating\na,1,0,0.5,3\n", "line 2: the row has no whole day"),
        ("user,card,ts,day,rating\n,1,0,0,3\n", "line 2: no user"),
        ("user,card,ts,day,rating\na,,0,0,3\n", "line 2: no card"),
        (HEAD + "a,1,0,0,3,,1.5,\n", "p_sm15 outside"),
        (HEAD + "a,1,0,0,3,-1,,\n", "supermemo_grade below 0"),
        ("user,card,ts,day,rating\n", "no review that can be used"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(table, text, said):
    with pytest.raises(UnreadableSource, match=said):
        read(table(text))


def test_an_answer_expanded_to_one_row_a_skill_is_refused_and_a_repeated_line_is_not(table):
    expanded = "user,card,ts,day,rating\na,1,0,0,3\na,1,0,0,1\n"
    with pytest.raises(UnreadableSource, match="one row, not one a skill"):
        read(table(expanded))
    repeated = read(table("user,card,ts,day,rating\na,1,0,0,3\na,1,0,0,3\n"))
    assert repeated.reviews == 1
    assert any("repeated lines" in note for note in repeated.notes)


def test_as_of_leaves_out_what_came_later(table):
    from datetime import date

    text = "user,card,ts,day,rating\na,1,0,0,3\na,1,86399,1,3\na,1,86400,1,3\n"
    assert read(table(text), as_of=date(1970, 1, 1)).reviews == 2


def event(event_id: str, at: str, **data) -> dict:
    kind = data.pop("type", "flashcard_review")
    return {
        "id": event_id,
        "type": kind,
        "schema": 1,
        "occurred_at": at,
        "user_id": "u1",
        "data": {"card_id": "c", **data},
    }


def test_oslers_own_log_is_read_with_local_days_resets_and_reasons(tmp_path):
    lines = [
        event("4", "2026-03-04T10:00:00+01:00", rating=3),
        event("1", "2026-03-01T23:50:00+01:00", rating=3),
        event("2", "2026-03-02T00:10:00+01:00", rating=3),
        event("2", "2026-03-02T00:10:00+01:00", rating=3),
        event("3", "2026-03-03T12:00:00+01:00", type="flashcard_reset"),
        event("5", "2026-03-05T10:00:00+01:00", rating=4, affects_schedule=False),
        event("6", "2026-03-05T10:00:00+01:00", type="video_play"),
        event("7", "2026-03-06T03:50:00+01:00", rating=2),
        event("8", "2026-03-06T04:10:00+01:00", rating=2),
    ]
    file = tmp_path / "log.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    data = read(file)
    history = data.learners[0].history
    assert history.rating.tolist() == [3, 3, 3, 2, 2]
    assert history.is_first.tolist() == [True, False, True, False, False]
    assert history.local_days.tolist() == [0, 0, 0, 1, 1]
    assert {note.split(": ")[1] for note in data.notes} == {
        "1 events that are no card review.", "1 repeated events.", "1 reviews outside the schedule."
    }  # fmt: skip


def test_a_log_goes_by_what_the_server_concluded_and_knows_the_topics_of_cards(tmp_path):
    """A device's clock was an hour fast, and the learner's day is the server's to say."""
    stored = {"effective_at": "2026-03-02T02:30:00+00:00", "local_date": "2026-03-01"}
    lines = [
        {"table": "cards", "row": {"user_id": "u1", "card_id": "c", "topic_ids": ["heart", "valves"]}},
        event("1", "2026-02-28T10:00:00+00:00", rating=3),
        event("2", "2026-03-02T03:30:00+01:00", rating=3) | {"stored": stored},
        event("3", "2026-03-03T10:00:00+00:00", rating=3, card_id="x") | {"topic_ids": ["kidney"]},
        event("4", "2026-03-03T11:00:00+00:00", rating=3, card_id="y"),
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    learner = read(tmp_path / "log.jsonl").learners[0]
    assert learner.topic.tolist() == ["heart;valves", "heart;valves", "kidney", ""]
    assert learner.history.local_days.tolist()[:2] == [0, 1]
    assert learner.history.days[1] == pytest.approx(1 + 16.5 / 24)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: no event"),
        ("[]", "line 1: no event"),
        ('{"type": "flashcard_review", "data": 3}', "data is no object"),
        ('{"type": "flashcard_review", "data": {"card_id": "c", "rating": 3}}', "occurred_at"),
        ('{"type": "flashcard_review", "occurred_at": "2026-03-01T10:00:00", "data": {}}', "no UTC offset"),
        ('{"type": "flashcard_review", "occurred_at": "2026-03-01T10:00:00Z", "data": {"rating": 3}}', "card_id"),
        ('{"type": "flashcard_review", "occurred_at": "2026-03-01T10:00:00Z", "data": {"card_id": "c"}}', "rating"),
    ],
)
def test_a_line_of_a_log_that_cannot_be_used_is_named(tmp_path, line, said):
    (tmp_path / "log.jsonl").write_text(line + "\n")
    with pytest.raises(UnreadableSource, match=said):
        read(tmp_path / "log.jsonl")


def test_an_anki_collection_is_one_learner_without_crams_manual_rows_and_resets(tmp_path):
    file = tmp_path / "me.anki2"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "create table revlog (id integer, cid integer, ease integer, ivl, lastIvl, factor, time, type integer)"
        )
        rows = [
            (1, 7, 3, 1, 0, 0, 900, 0),
            (2, 7, 3, 1, 0, 0, 900, 3),
            (3, 7, 0, 0, 0, 0, 0, 4),
            (86_400_004, 7, 4, -60, 1, 2500, 9, 1),
        ]
        connection.executemany("insert into revlog values (?,?,?,?,?,?,?,?)", rows)
    connection.close()
    data = read(file)
    assert data.learners[0].user == "me"
    assert data.learners[0].history.rating.tolist() == [3, 4]
    assert data.learners[0].history.is_first.tolist() == [True, True]
    assert any("2 entries" in note for note in data.notes)


@pytest.mark.parametrize("schema", ["a table of decks", "decks as JSON"])
def test_a_collection_tells_the_deck_of_each_card_that_is_still_there(tmp_path, schema):
    file = tmp_path / "me.anki2"
    with sqlite3.connect(file) as connection:
        connection.execute("create table revlog (id integer, cid integer, ease integer, factor integer, type integer)")
        connection.executemany("insert into revlog values (?, ?, 3, 0, 0)", [(1, 7), (2, 8), (3, 9)])
        connection.execute("create table cards (id integer, did integer, odid integer)")
        connection.executemany("insert into cards values (?, ?, ?)", [(7, 1, 0), (8, 99, 1)])
        if schema == "a table of decks":
            connection.execute("create table decks (id integer, name text)")
            connection.executemany("insert into decks values (?, ?)", [(1, "Step 1\x1fHeart"), (99, "Crammed")])
        else:
            connection.execute("create table col (decks text)")
            named = {"1": {"name": "Step 1::Heart"}, "99": {"name": "Crammed"}}
            connection.execute("insert into col values (?)", [json.dumps(named)])
    connection.close()
    assert read(file).learners[0].topic.tolist() == ["Step 1::Heart", "Step 1::Heart", ""]


def test_a_review_in_one_row_a_topic_is_refused(table):
    with pytest.raises(UnreadableSource, match="not one a skill"):
        read(table("user,card,ts,day,rating,topic\na,1,0,0,3,heart\na,1,0,0,3,valves\n"))


def test_a_file_that_is_no_collection_is_refused(tmp_path):
    (tmp_path / "x.anki2").write_text("not a database")
    with pytest.raises(UnreadableSource, match="no Anki collection"):
        read(tmp_path / "x.anki2")


def test_a_folder_is_read_whole_and_an_empty_one_refused(table, tmp_path):
    table("user,card,ts,day,rating\na,1,0,0,3\n", "a.csv")
    table("user,card,ts,day,rating\nb,x,0,0,3\n", "b.csv")
    assert [learner.user for learner in read(tmp_path).learners] == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableSource, match="no table"):
        read(tmp_path / "empty")
