"""Of events that are handed in the first with an id counts, though chunks are read and stored side by side."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.support.sending import sending
from tests.support.wire_events import batch, event, now_ms

from osler.db.engine import Database
from osler.errors import TooMany, Unavailable
from osler.ingest import intake, pipeline
from osler.ingest.intake import ingest_events
from osler.ingest.rates import EventBuckets

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(intake, "CHUNK", 10)


async def test_of_two_with_one_id_the_first_counts_though_they_are_in_different_chunks(database):
    ms = now_ms() - 100_000
    first = [event(ms=ms + n) for n in range(35)]
    again = [each | {"data": {**each["data"], "time_to_answer_seconds": 1.5}} for each in first]
    result = await ingest_events(database, first + again, uuid4())
    assert result.counts["accepted"] == 35
    assert result.counts["conflict"] == 35
    assert [outcome.status for outcome in result.outcomes[:35]] == ["accepted"] * 35


@pytest.fixture
def failing(monkeypatch):
    """Has the second chunk that is to be stored fail; gives the first id of every chunk that came so far."""
    stored, came = pipeline.store, []

    async def fails_once(connection, made, **options):
        came.append(made.rows.event_id[0])
        if len(came) == 2:
            raise Unavailable("away")
        return await stored(connection, made, **options)

    monkeypatch.setattr(pipeline, "store", fails_once)
    return came


async def test_a_chunk_that_was_not_stored_ends_it_and_a_second_run_takes_the_rest(database, admin, failing):
    user, ms = uuid4(), now_ms() - 1000
    events = [event(ms=ms + n) for n in range(100)]
    with pytest.raises(Unavailable):
        await ingest_events(database, events, user)
    left = await admin.fetchval("select count(*) from study_events where user_id = $1", user)
    assert left % 10 == 0, "a chunk is one transaction"
    assert len(failing) <= 1 + intake.AT_ONCE, "only what was under way with it may still be stored"
    again = await ingest_events(database, events, user)
    assert (again.counts["duplicate"], again.counts["accepted"]) == (left, 100 - left)


async def test_what_holds_an_id_of_a_chunk_that_was_not_stored_is_not_stored(database, admin, failing):
    user, ms = uuid4(), now_ms() - 1000
    first, second = ([event(ms=ms + n) for n in range(10)] for _ in range(2))
    third = [second[3] | {"data": {**second[3]["data"], "time_to_answer_seconds": 1.5}}]
    with pytest.raises(Unavailable):
        await ingest_events(database, [*first, *second, *third], user)
    assert len(failing) == 2, "the third waited for the second"
    assert await admin.fetchval("select count(*) from study_events where user_id = $1", user) == 10


@pytest.mark.parametrize("size", [1, 2])
async def test_few_connections_are_enough(database, size):
    events = [event(ms=now_ms() - 1000 + n) for n in range(40)]
    async with Database.open(database.settings.model_copy(update={"ingest_pool_size": size})) as small:
        result = await ingest_events(small, [*events, *events[35:]], uuid4())
    assert (result.counts["accepted"], result.counts["duplicate"]) == (40, 5)


async def test_what_this_process_sends_itself_is_not_held_to_a_learners_rate(database):
    """As the simulator does: a year of a learner is more than their bucket holds."""
    pipeline.ingestion_of(database).buckets = EventBuckets(size=20, refill_per_second=0.1)
    user = uuid4()
    events = [event(ms=now_ms() - 1000 + n) for n in range(50)]
    with pytest.raises(TooMany) as refused:
        await sending(database)(batch(events), user)
    assert refused.value.retry_after_seconds >= 1
    assert (await ingest_events(database, events, user)).counts["accepted"] == 50
