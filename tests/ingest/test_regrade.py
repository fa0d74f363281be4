"""A corrected key is answered by events of its own, once."""

from __future__ import annotations

import json

import pytest
from tests.support.wire_events import batch, event, learner

from osler.ingest.intake import ingest_events
from osler.ingest.regrade import regrade

pytestmark = pytest.mark.integration


async def test_e30_a_corrected_key_appends_one_regrade_for_each_changed_answer(send, database, admin):
    ann, ben = learner(), learner()
    await admin.execute("insert into questions (question_id, key) values ('q-30', '{A}')")
    for user, key in ((ann, "A"), (ben, "B")):
        await send(batch([event(data={"question_id": "q-30", "answer": [key]})]), user)
    assert (await regrade(database, "q-30")).counts["accepted"] == 0
    await admin.execute("update questions set key = '{B}', key_version = 2 where question_id = 'q-30'")
    await admin.execute("insert into catalog_versions (what) values ('keys')")
    first, again = [await regrade(database, "q-30") for _ in range(2)]
    assert (first.counts["accepted"], again.counts["duplicate"], again.counts["accepted"]) == (2, 2, 0)
    rows = await admin.fetch(
        "select user_id, data, is_correct, key_version from study_events where event_type = 'question_regrade'"
    )
    assert {(row["user_id"], row["is_correct"], row["key_version"]) for row in rows} == {
        (ann, False, 2),
        (ben, True, 2),
    }
    attempts = await admin.fetch("select event_id::text, is_correct from question_attempts where question_id = 'q-30'")
    assert {json.loads(row["data"])["attempt_event_id"] for row in rows} == {row["event_id"] for row in attempts}
    assert sorted(row["is_correct"] for row in attempts) == [False, True], "an attempt is never rewritten"


async def test_e30_answers_to_a_question_that_nobody_knew_are_graded_when_it_comes(send, database, admin):
    user = learner()
    await send(batch([event(data={"question_id": "q-31", "answer": ["C"]})]), user)
    await admin.execute("insert into questions (question_id, key) values ('q-31', '{C}')")
    await admin.execute("insert into catalog_versions (what) values ('questions')")
    assert (await regrade(database, "q-31")).counts["accepted"] == 1


async def test_server_types_stay_with_the_server(database):
    result = await ingest_events(database, [event("question_regrade")], learner())
    assert dict(result.codes) == {"type.forbidden": 1}


async def test_score_and_verdict_together_are_one_too_many(database):
    both = event(data={"is_correct": True, "score": 0.5})
    half = event(data={"score": 0.5, "answer": []})
    result = await ingest_events(database, [both, half], learner())
    assert [o.code.value if o.code else o.status.value for o in result.outcomes] == ["schema.unknown_field", "accepted"]
