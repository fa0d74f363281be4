"""Events taken apart hold what each of them holds, whatever types stand beside each other."""

from __future__ import annotations

import json

from tests.support.wire_events import event

from osler.ingest.columns import Columns
from osler.ingest.wire import quick_events


def columns_of(*types: str) -> Columns:
    events = [event(each, session_id="0f8e0000-0000-4000-8000-000000000001") for each in types]
    return Columns(quick_events.decode(json.dumps(events)))


def test_each_column_holds_the_field_of_each_event_in_order():
    columns = columns_of("question_submit", "session_end", "flashcard_review", "question_submit")
    events = columns.events
    assert list(columns.ids) == [each.id for each in events]
    assert list(columns.schemas) == [each.schema for each in events]
    assert list(columns.occurred_at) == [each.occurred_at for each in events]
    assert list(columns.session_ids) == [each.session_id for each in events]
    assert list(columns.zones) == list(columns.boot_ids) == list(columns.topic_ids) == [None] * 4
    assert list(columns.monotonic_ms) == list(columns.precisions) == list(columns.user_ids) == [None] * 4
    assert list(columns.data) == [each.data for each in events]
    assert columns.types() == [each.type for each in events]


def test_each_group_holds_the_fields_of_its_type():
    groups = {each.kind.name: each for each in columns_of("question_submit", "session_end", "question_submit").groups}
    assert list(groups["question_submit"].places) == [0, 2]
    assert groups["question_submit"].fields["question_id"] == ("q-4711", "q-4711")
    assert groups["question_submit"].given("confidence") == ()
    assert groups["question_submit"].given("rating") == ()
    assert list(groups["session_end"].places) == [1]


def test_nothing_taken_apart_is_nothing():
    empty = Columns([])
    assert (len(empty), empty.ids, empty.groups, empty.types()) == (0, (), [], [])
