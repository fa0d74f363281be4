"""From the wire into the log: what is stored, beside what was said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.support.wire_events import batch, event, learner, now_ms

pytestmark = pytest.mark.integration


async def test_an_answer_is_stored_in_the_log_and_in_the_typed_table_with_marks(send, admin):
    user = learner()
    ms = now_ms()
    sent = event(ms=ms, offset="+05:30", data={"confidence": 4}, tz="Asia/Kolkata")
    taken = await send(batch([sent]), user)
    assert taken.counts()["accepted"] == 1
    row = await admin.fetchrow("select * from study_events where user_id = $1", user)
    assert row["event_id"] == UUID(sent["id"])
    assert row["event_ts"] == row["occurred_at"] == row["effective_at"] == datetime.fromtimestamp(ms / 1000, UTC)
    assert row["occurred_at_raw"] == sent["occurred_at"]
    assert (row["utc_offset_minutes"], row["zone_source"], row["tz"]) == (330, "offset", "Asia/Kolkata")
    assert json.loads(row["data"]) == sent["data"]
    attempt = await admin.fetchrow("select * from question_attempts where user_id = $1", user)
    assert attempt["question_id"] == "q-4711"
    assert attempt["time_to_answer_seconds"] == 45
    assert (attempt["confidence"], attempt["mode"], json.loads(attempt["answer"])) == (4, "timed", ["A"])
    marks = await admin.fetch("select consumer, local_date, n_events from dirty_days where user_id = $1", user)
    assert {(m["consumer"], m["n_events"]) for m in marks} == {("live", 1), ("rollup", 1)}
    assert {m["local_date"] for m in marks} == {row["local_date"]}


async def test_answers_ratings_and_reading_side_by_side_each_get_their_own_row(send, admin):
    user = learner()
    types = ["question_submit", "flashcard_review", "material_progress", "session_end", "flashcard_review"]
    taken = await send(batch([event(each) for each in types]), user)
    assert taken.counts()["accepted"] == 5
    found = await admin.fetch(
        "select event_type, count(question_id) q, count(card_id) c, count(rating) r, count(mode) m "
        "from question_attempts where user_id = $1 group by 1 order by 1", user
    )  # fmt: skip
    assert [tuple(row) for row in found] == [("flashcard_review", 0, 2, 2, 0), ("question_submit", 1, 0, 0, 1)]
    read = await admin.fetch("select event_type, progress from material_interactions where user_id = $1", user)
    assert [tuple(row) for row in read] == [("material_progress", 0.4)]


@pytest.mark.parametrize("type_", ["session_resume", "question_submit"])
async def test_events_that_say_the_same_are_each_stored_with_their_data(send, admin, type_):
    user = learner()
    taken = await send(batch([event(type_) for _ in range(9)]), user)
    assert taken.counts()["accepted"] == 9
    stored = await admin.fetch("select data from study_events where user_id = $1", user)
    assert [json.loads(row["data"]) for row in stored] == [event(type_)["data"]] * 9


@pytest.mark.parametrize(
    "type_",
    ["material_open", "material_progress", "note_taken", "highlight", "bookmark", "flashcard_review", "session_start"],
)
async def test_each_typed_table_gets_its_columns(send, admin, type_):
    user = learner()
    taken = await send(batch([event(type_), event("session_end"), event(type_)]), user)
    assert taken.counts()["accepted"] == 3
    stored = await admin.fetch("select data from study_events where user_id = $1 and event_type = $2", user, type_)
    assert [json.loads(row["data"]) for row in stored] == [event(type_)["data"]] * 2
    tables = {"flashcard_review": "question_attempts", "session_start": None}
    table = tables.get(type_, "material_interactions")
    if table:
        rows = await admin.fetch(f"select * from {table} where user_id = $1", user)
        assert len(rows) == 2
        for name, value in event(type_)["data"].items():
            column = {"on": "is_on"}.get(name, name)
            if column in rows[0]:
                assert rows[0][column] == value
