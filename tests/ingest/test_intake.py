"""Events that are handed in are stored in their order, though one chunk is read while another is being stored."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.support.sending import sending
from tests.support.wire_events import batch, event, now_ms

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


async def test_nothing_is_stored_after_a_chunk_that_was_not(database, admin, monkeypatch):
    stored, calls = pipeline.store, []

    async def fails_once(*given, **options):
        calls.append(1)
        if len(calls) == 2:
            raise Unavailable("away")
        return await stored(*given, **options)

    monkeypatch.setattr(pipeline, "store", fails_once)
    user = uuid4()
    with pytest.raises(Unavailable):
        await ingest_events(database, [event(ms=now_ms() - 1000 + n) for n in range(50)], user)
    assert await admin.fetchval("select count(*) from study_events where user_id = $1", user) == 10


async def test_what_this_process_sends_itself_is_not_held_to_a_learners_rate(database):
    """As the simulator does: a year of a learner is more than their bucket holds."""
    pipeline.ingestion_of(database).buckets = EventBuckets(size=20, refill_per_second=0.1)
    user = uuid4()
    events = [event(ms=now_ms() - 1000 + n) for n in range(50)]
    with pytest.raises(TooMany) as refused:
        await sending(database)(batch(events), user)
    assert refused.value.retry_after_seconds >= 1
    assert (await ingest_events(database, events, user)).counts["accepted"] == 50
