"""The append takes a batch to be new and is right when it is not; typed rows say what the events say."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.event_strategies import data_of
from tests.support.sending import codes, fresh_database, sending  # noqa: F401
from tests.support.wire_events import batch, event, learner

from osler.domain.event_types import EVENT_TYPES
from osler.ingest.work import Sender

pytestmark = pytest.mark.integration
MARKS = "select consumer, n_events from dirty_days where user_id = $1 and batch_id <> all($2) order by 1"
BATCHES = "select array_agg(distinct batch_id) from dirty_days where user_id = $1"
OTHERWISE = {
    "action": ("action", "reason"),
    "position_seconds": ("position_seconds", "from_seconds"),
    "is_on": ("on",),
}


@pytest.fixture
def send(database):
    return sending(database)


async def test_of_a_batch_that_is_partly_stored_the_rest_is_taken(send, admin):
    user, first = learner(), [event(), event("material_open"), event("session_end")]
    await send(batch(first), user)
    before = await admin.fetchval(BATCHES, user)
    more = [event(), event("material_open")]
    other = event(id=first[2]["id"], occurred_at=first[2]["occurred_at"])
    taken = await send(batch([*more, *first[:2], other]), user)
    assert codes(taken) == ["accepted", "accepted", "duplicate.stored", "duplicate.stored", "conflict.stored"]
    counts = [await admin.fetchval(f"select count(*) from {t} where user_id = $1", user)
              for t in ("study_events", "question_attempts", "material_interactions")]  # fmt: skip
    assert counts == [5, 2, 2]
    assert [tuple(row) for row in await admin.fetch(MARKS, user, before)] == [("live", 2), ("rollup", 2)]


async def test_a_batch_that_is_wholly_stored_leaves_no_mark(send, admin):
    user, body = learner(), batch([event() for _ in range(9)])
    await send(body, user)
    before = await admin.fetchval(BATCHES, user)
    assert set(codes(await send(body, user))) == {"duplicate.stored"}
    assert await admin.fetch(MARKS, user, before) == []


async def test_writers_of_overlapping_batches_store_each_event_once(send, admin):
    user, events = learner(), [event() for _ in range(60)]
    bodies = [batch(events[n : n + 30]) for n in (0, 10, 20, 30, 0, 15)]
    found = await asyncio.gather(*(send(body, user) for body in bodies))
    assert sum(taken.counts()["accepted"] for taken in found) == 60
    assert sum(taken.counts()["duplicate"] for taken in found) == 120
    marked = await admin.fetchval("select sum(n_events) from dirty_days where user_id = $1 and consumer = 'live'", user)
    assert [marked, await admin.fetchval("select count(*) from question_attempts where user_id = $1", user)] == [60, 60]


async def test_a_stored_report_is_a_duplicate_also_when_its_consent_is_gone(send, admin):
    user, report = learner(), event("day_report")
    await send(batch([event()]), user)
    await admin.execute('update users set consents = \'{"wellbeing": "2026-01-01"}\' where user_id = $1', user)
    assert codes(await send(batch([report]), user)) == ["accepted"]
    await admin.execute("update users set consents = '{}' where user_id = $1", user)
    taken = await send(batch([event(), report, event("day_report")]), user)
    assert codes(taken) == ["accepted", "duplicate.stored", "subject.consent_withdrawn"]


TYPED = [each for each in EVENT_TYPES.values() if each.body]
COMMON = {
    "user_id",
    "event_ts",
    "event_id",
    "event_type",
    "effective_at",
    "utc_offset_minutes",
    "local_date",
    "session_id",
}
CONCLUDED = {"is_correct", "key_version"}


@pytest.mark.parametrize("kind", TYPED, ids=lambda kind: kind.name)
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
    database=None,
)
@given(drawn=st.data())
async def test_a_typed_row_holds_the_fields_of_its_event(send, admin, kind, drawn):
    data, user = drawn.draw(data_of(kind)), learner()
    sender = Sender(user, is_service=True, may_create=True)
    taken = await send(batch([event(kind.name) | {"data": data}]), user, sender=sender)
    row = await admin.fetchrow(f"select * from {kind.body} where user_id = $1", user)
    if codes(taken) == ["privacy.pattern"]:
        assert row is None
        return
    assert codes(taken) == ["accepted"]
    columns = dict(row)
    if columns.get("answer") is not None:
        columns["answer"] = json.loads(columns["answer"])
    for name in columns.keys() - COMMON - CONCLUDED:
        fields = OTHERWISE.get(name, (name,))
        assert columns[name] == next((data[field] for field in fields if field in data), None), name
