"""The endpoints that take events, asked over HTTP with real tokens."""

from __future__ import annotations

import gzip
import hashlib
import json
from uuid import uuid4

import pytest
import zstandard
from tests.support.sending import fresh_database  # noqa: F401
from tests.support.wire_events import batch, event, iso, learner, now_ms

from osler.http.policy import Role
from osler.ingest.pipeline import ingestion_of
from osler.ingest.rates import EventBuckets
from osler.observe import metrics

pytestmark = pytest.mark.integration
JSON = {"content-type": "application/json"}


async def post(web, path, content, user=None, *roles, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await web.client.post(path, content=body, headers={**web.auth(user, *roles), **JSON, **headers})


def counted():
    return {o: metrics.ingest_events.labels(o)._value.get() for o in metrics.OUTCOMES}


async def test_e19_a_batch_holds_one_to_a_thousand(web):
    sizes = {0: 400, 1: 200, 1000: 200, 1001: 413}
    answers = {
        size: await post(web, "/api/events/batch", batch([event("session_end") for _ in range(size)]), learner())
        for size in sizes
    }
    for size, status in sizes.items():
        assert answers[size].status_code == status, (size, answers[size].text[:300])
    assert answers[1001].json()["limits"]["events"] == 1000


async def test_a_batch_is_answered_event_by_event_and_adds_up_in_the_metrics(web):
    before = counted()
    bad = event()
    bad["data"]["mode"] = "x"
    answer = await post(web, "/api/events/batch", batch([event(), bad, {**event(), "schema": 9}]))
    told = answer.json()
    assert answer.status_code == 200
    assert told["counts"] == {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 1, "refused": 0, "retry": 1}
    assert [r["status"] for r in told["results"]] == ["accepted", "rejected", "retry"]
    assert told["results"][1]["code"] == "schema.enum"
    assert told["results"][1]["path"] == "/data/mode"
    assert told["results"][2]["retry_after_seconds"] == 86_400
    assert abs(told["clock_skew_ms"]) < 60_000
    assert {o: n - before[o] for o, n in counted().items()} == told["counts"]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_compressed_bodies(web, encoding, pack):
    body = batch([event()])
    answer = await post(web, "/api/events/batch", pack(body), **{"content-encoding": encoding})
    assert answer.json()["counts"]["accepted"] == 1
    for bad in ("br", "gzip, gzip", "x"):
        refused = await post(web, "/api/events/batch", pack(body), **{"content-encoding": bad})
        assert refused.status_code == 415
    cut = await post(web, "/api/events/batch", pack(body)[:-4], **{"content-encoding": encoding})
    assert (cut.status_code, cut.json()["code"]) == (400, "batch.compression")


async def test_one_event_has_a_status_of_its_own(web):
    user, one = learner(), event()
    first = await post(web, "/api/events", {**one, "sent_at": iso(now_ms())}, user)
    again = await post(web, "/api/events", one, user)
    other = await post(web, "/api/events", {**one, "data": {**one["data"], "answer": ["B"]}}, user)
    bad = await post(web, "/api/events", {**event(), "type": "dance"}, user)
    newer = await post(web, "/api/events", {**event(), "schema": 2}, user)
    refused = await post(web, "/api/events", event("day_report"), user)
    assert [a.status_code for a in (first, again, other, bad, newer, refused)] == [201, 200, 409, 422, 503, 403]
    assert first.json()["event_id"] == one["id"]
    assert other.json()["code"] == "conflict.stored"
    assert newer.headers["retry-after"] == "86400"
    assert bad.headers["content-type"] == "application/problem+json"


async def test_a_token_is_needed_and_the_right_role(web):
    body = batch([event()])
    assert (await web.client.post("/api/events/batch", content=body, headers=JSON)).status_code == 401
    assert (await post(web, "/api/events/batch", body, uuid4(), Role.ANALYST)).status_code == 403


async def test_a_service_names_the_learner_in_each_event(web, admin):
    service, users = uuid4(), [learner(), learner()]
    events = [event(user_id=str(user), data={"is_correct": True}) for user in users] + [event()]
    answer = await post(web, "/api/events/batch", batch(events), service, Role.SERVICE_INGEST)
    assert [r["status"] for r in answer.json()["results"]] == ["accepted", "accepted", "rejected"]
    assert (
        await admin.fetchval("select count(*) from question_attempts where is_correct and user_id = any($1)", users)
        == 2
    )


async def test_a13_a_sync_of_five_thousand_events_passes(web):
    user = learner()
    answers = [
        await post(web, "/api/events/batch", batch([event("session_end") for _ in range(100)]), user) for _ in range(50)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["counts"]["accepted"] for answer in answers) == 5000


async def test_a13_an_address_sends_what_fifty_learners_may_and_no_more(web):
    ingestion = ingestion_of(web.platform.db)
    before, ingestion.addresses = ingestion.addresses, EventBuckets(size=25, refill_per_second=0.001)
    try:
        answers = [
            await post(web, "/api/events/batch", batch([event("session_end") for _ in range(10)]), learner())
            for _ in range(3)
        ]
    finally:
        ingestion.addresses = before
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


async def test_a_leap_second_in_sent_at_is_read_as_the_millisecond_before(web):
    hour = iso(now_ms())[:13]
    skews = []
    for second in ("60", "59.999", "60.500"):
        body = json.dumps({"sent_at": f"{hour}:59:{second}+00:00", "events": [event("session_end")]}).encode()
        answer = await post(web, "/api/events/batch", body)
        assert (answer.status_code, answer.json()["counts"]["accepted"]) == (200, 1)
        skews.append(answer.json()["clock_skew_ms"])
    assert max(skews) - min(skews) < 5_000
    bad = json.dumps({"sent_at": f"{hour}:58:60+00:00", "events": [event()]}).encode()
    assert (await post(web, "/api/events/batch", bad)).status_code == 400


async def test_limits_and_receipt(web):
    limits = (await web.get("/api/events/limits")).json()
    assert limits["batch"]["events"] == 1000
    assert limits["schemas"]["question_submit"] == {"versions": [1], "sender": "learner"}
    events = [event() for _ in range(5)]
    await post(web, "/api/events/batch", batch(events))
    window = {"from": iso(now_ms() - 3_600_000, "Z"), "to": iso(now_ms() + 3_600_000, "Z")}
    told = (await web.get("/api/events/receipt", params=window)).json()
    ids = sorted(each["id"] for each in events)
    assert told == {"count": 5, "sha256": hashlib.sha256("".join(f"{i}\n" for i in ids).encode()).hexdigest()}
    assert (
        await web.get("/api/events/receipt", params={"from": window["to"], "to": window["from"]})
    ).status_code == 422


async def _question(admin, question_id="q-4711", key=("A",)):
    await admin.execute(
        "insert into topics (topic_id, name, level, axis) values ('cardio', 'Cardio', 0, 'system') "
        "on conflict do nothing"
    )
    await admin.execute(
        "insert into questions (question_id, key, topic_ids, option_count) values ($1, $2, '{cardio}', 4) "
        "on conflict do nothing",
        question_id, list(key),
    )  # fmt: skip
    await admin.execute("insert into catalog_versions (what) values ('questions')")


async def test_a_submit_is_graded_and_answers_with_the_new_mastery(web, admin):
    await _question(admin)
    answer = await post(web, "/api/questions/q-4711/submit", {"answer": "A", "time_spent": 45})
    told = answer.json()
    assert (answer.status_code, told["status"], told["is_correct"]) == (200, "accepted", True)
    row = await admin.fetchrow("select * from question_attempts where user_id = $1", web.learner)
    assert (row["time_to_answer_seconds"], row["is_correct"], row["event_type"]) == (45, True, "question_submit")
    if not told["mastery_pending"]:
        assert [m["topic_id"] for m in told["mastery"]] == ["cardio"]
        assert told["mastery"][0]["questions_attempted"] == 1
    wrong = await post(web, "/api/questions/q-4711/submit", {"answer": ["B"], "time_spent": 3.5, "mode": "exam"})
    assert wrong.json()["is_correct"] is False


async def test_a_submit_sent_again_with_its_id_is_one_answer(web, admin):
    await _question(admin)
    body = {"event_id": event()["id"], "answer": "A", "time_spent": 45}
    first, again = [await post(web, "/api/questions/q-4711/submit", body) for _ in range(2)]
    assert (first.json()["status"], again.json()["status"]) == ("accepted", "duplicate")
    assert again.json()["is_correct"] is True
    assert await admin.fetchval("select count(*) from question_attempts where user_id = $1", web.learner) == 1


async def test_an_unknown_question_cannot_be_submitted_but_comes_in_a_batch(web, admin):
    assert (await post(web, "/api/questions/nobody-knows/submit", {"answer": "A", "time_spent": 1})).status_code == 404
    answer = await post(web, "/api/events/batch", batch([event(data={"question_id": "nobody-knows"})]))
    assert "question.unknown" in answer.json()["results"][0]["warnings"]
    await _question(admin, "nobody-knows", ("C",))
    late = await post(web, "/api/questions/nobody-knows/submit", {"answer": "C", "time_spent": 1})
    assert (late.status_code, late.json()["is_correct"]) == (200, True)


async def test_whatever_names_an_unknown_question_is_told_so_and_no_longer_once_it_is_there(web, admin):
    """The same note whether it is answered in a batch, looked at, passed over, or has a note taken on it."""
    one_by_one = {"view": {}, "skip": {"seconds": 3}, "flag": {"flagged": True}, "hint": {"hint_index": 1}}
    note = {"material_id": None, "note_id": "n-1", "action": "create", "length_chars": 9}
    batched = [
        event("question_view", data={"question_id": "not-yet"}),
        event("question_answer_change", data={"question_id": "not-yet", "from": ["A"], "to": ["B"]}),
        event("note_taken", data={"question_id": "not-yet", **note}),
    ]

    async def told() -> set[bool]:
        single = [await post(web, f"/api/questions/not-yet/{verb}", body) for verb, body in one_by_one.items()]
        together = (await post(web, "/api/events/batch", batch(batched))).json()["results"]
        return {"question.unknown" in each["warnings"] for each in (*(answer.json() for answer in single), *together)}

    assert await told() == {True}
    await _question(admin, "not-yet", ("C",))
    for each in batched:
        each["id"], each["occurred_at"] = (fresh := event())["id"], fresh["occurred_at"]
    assert await told() == {False}


async def test_a_note_on_a_material_asks_for_no_question(web):
    data = {"material_id": "m", "note_id": "n-1", "action": "create", "length_chars": 9}
    answer = await post(web, "/api/events/batch", batch([event("note_taken", data=data)]))
    assert answer.json()["results"][0]["warnings"] == ["material.unknown"]


async def test_a_corrected_key_grades_the_next_answer(web, admin):
    await _question(admin, "q-corrected")
    assert (await post(web, "/api/questions/q-corrected/submit", {"answer": "A", "time_spent": 1})).json()["is_correct"]
    await admin.execute("update questions set key = '{B}', key_version = 2 where question_id = 'q-corrected'")
    await admin.execute("insert into catalog_versions (what) values ('keys')")
    assert (await post(web, "/api/questions/q-corrected/submit", {"answer": "B", "time_spent": 1})).json()["is_correct"]
    versions = await admin.fetch(
        "select key_version from question_attempts where user_id = $1 order by event_ts", web.learner
    )
    assert [row[0] for row in versions] == [1, 2]


async def test_a_session_from_start_to_end(web, admin):
    started = await post(web, "/api/sessions/start", {"mode": "practice", "goal_minutes": 30})
    assert started.status_code == 201
    session = started.json()["session_id"]
    steps = [
        ("heartbeat", {"active_seconds": 28, "idle_seconds": 2, "visible": True}), ("pause", {"reason": "user"}),
        ("resume", {}), ("focus", {"state": "hidden"}), ("end", {"reason": "user"}),
    ]  # fmt: skip
    for name, body in steps:
        answer = await post(web, f"/api/sessions/{session}/{name}", body)
        assert answer.status_code == 201, (name, answer.text)
        assert answer.json()["warnings"] == []
    stored = await admin.fetch(
        "select event_type, session_id::text from study_events where user_id = $1 order by event_id", web.learner
    )
    assert {row["session_id"] for row in stored} == {session}
    assert len(stored) == 6


@pytest.mark.parametrize(
    ("path", "body", "event_type"),
    [
        ("questions/q-1/view", {"position": 2}, "question_view"),
        ("questions/q-1/skip", {"seconds": 3}, "question_skip"),
        ("questions/q-1/flag", {"flagged": True}, "question_flag"),
        ("materials/m-1/open", {"kind": "text"}, "material_open"),
        ("materials/m-1/video", {"action": "seek", "from_seconds": 3, "to_seconds": 9.5}, "video_seek"),
        ("materials/m-1/notes", {"note_id": "n", "action": "create", "length_chars": 4}, "note_taken"),
        (
            "coach/c-1/messages",
            {"message_id": "m", "role": "learner", "intent": "quiz", "length_chars": 9},
            "coach_message",
        ),
    ],
)
async def test_typed_endpoints_make_their_event(web, admin, path, body, event_type):
    answer = await post(web, f"/api/{path}", body)
    assert answer.status_code == 201, answer.text
    row = await admin.fetchrow("select event_type, event_id::text from study_events where user_id = $1", web.learner)
    assert tuple(row) == (event_type, answer.json()["event_id"])
    extra = await post(web, f"/api/{path}", {**body, "secret": "text"})
    assert (extra.status_code, extra.json()["code"]) == (422, "schema.unknown_field")


async def test_h19_one_parser_reads_the_path(web):
    for path in ("/api/questions/a%2f..%2fb/view", "/api/questions/a b/view", "/api/sessions/me/pause"):
        assert (await post(web, path, {})).status_code in {400, 404}
    assert (await post(web, "/api/events/batch?atomic=true&atomic=false", batch([event()]))).status_code == 400


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'{"a":NaN}', b'{"a":1e400}', b"[" * 5000, b'"x"', b"null"]
)
async def test_no_body_is_answered_with_a_500(web, body):
    for path in ("/api/events/batch", "/api/events", "/api/sessions/start", "/api/questions/q/skip"):
        answer = await post(web, path, body)
        assert answer.status_code in {400, 422, 413}, (path, answer.status_code)
