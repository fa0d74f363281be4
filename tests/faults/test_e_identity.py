"""E01 to E10, E13, E17 to E20: what one event is, when it is taken, and what its sender is told."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.support.matrix import count
from tests.support.sending import Send, assert_adds_up, bury, codes, fresh_database, sending, stored_ids  # noqa: F401
from tests.support.wire_events import batch, event, iso, learner, now_ms

from osler.db.engine import Database
from osler.domain.identity import deterministic_id, new_event_id
from osler.eventlog.reading import read_after, upcast
from osler.ingest.intake import ingest_events
from osler.ingest.work import Sender

pytestmark = [pytest.mark.integration, pytest.mark.fault]
HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def send(database: Database) -> Send:
    return sending(database)


async def test_e01_the_same_batch_ten_times_is_stored_once(send, admin):
    user, events = learner(), [event(ms=now_ms() - n) for n in range(20)]
    first = await send(batch(events), user)
    again = [await send(batch(events), user) for _ in range(4)]
    racing = learner()
    at_once = await asyncio.gather(*(send(batch(events), racing) for _ in range(5)))
    assert codes(first) == ["accepted"] * 20
    assert all(codes(taken) == ["duplicate.stored"] * 20 for taken in again)
    assert sum(taken.counts()["accepted"] for taken in at_once) == 20
    assert sum(taken.counts()["duplicate"] for taken in at_once) == 80
    for who in (user, racing):
        assert sorted(await stored_ids(admin, who)) == sorted(each["id"] for each in events)
    for taken in (first, *again, *at_once):
        assert_adds_up(taken, 20)


async def test_e02_the_same_id_with_other_content_is_a_conflict(send, admin):
    user, one = learner(), event()
    other = {**one, "data": {**one["data"], "answer": ["B"]}}
    await send(batch([one]), user)
    assert codes(await send(batch([other]), user)) == ["conflict.stored"]
    stored = await admin.fetchval("select data from study_events where user_id = $1", user)
    assert json.loads(stored)["answer"] == ["A"]
    assert await admin.fetchval("select count(*) from question_attempts where user_id = $1", user) == 1


async def test_e02_numbers_written_otherwise_are_the_same_content(send):
    user, one = learner(), event(data={"time_to_answer_seconds": 45.0})
    await send(batch([one]), user)
    one["data"]["time_to_answer_seconds"] = 45
    assert codes(await send(batch([one]), user)) == ["duplicate.stored"]


async def test_e03_another_time_under_the_same_id_is_never_a_second_row(send, admin):
    user = learner()
    edge = int(datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    one = event(ms=edge - 400)
    await send(batch([one]), user)
    over = {**one, "occurred_at": iso(edge + 300)}
    far = {**one, "occurred_at": iso(edge - 40 * DAY)}
    assert codes(await send(batch([over, far]), user)) == ["conflict.stored", "id.time_mismatch"]
    assert len(await stored_ids(admin, user)) == 1


async def test_e03_over_a_months_edge_nothing_is_stored_twice(send, admin):
    user, events = learner(), count("E03", "events")
    edge = int(datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    for start in range(0, events, 1000):
        some = [event(ms=edge - 1 - n % 499) for n in range(start, min(events, start + 1000))]
        moved = [{**one, "occurred_at": iso(edge + 300)} for one in some]
        assert set(codes(await send(batch(some), user))) == {"accepted"}
        assert set(codes(await send(batch(moved), user))) == {"conflict.stored"}
    assert len(await stored_ids(admin, user)) == events


async def test_e04_the_same_id_of_two_learners_is_two_events(send, admin):
    one, ann, ben = event(), learner(), learner()
    answers = [codes(await send(batch([one]), user)) for user in (ann, ben)]
    assert answers == [["accepted"], ["accepted"]]
    assert await stored_ids(admin, ann) == await stored_ids(admin, ben) == [one["id"]]


async def test_e05_the_first_of_repeats_in_a_batch_wins(send, admin):
    user, one = learner(), event()
    other = {**one, "data": {**one["data"], "answer": ["C"]}}
    taken = await send(batch([one, one, other] + [event() for _ in range(5)]), user)
    assert codes(taken)[:3] == ["accepted", "duplicate.in_batch", "conflict.in_batch"]
    assert len(await stored_ids(admin, user)) == 6


async def test_e06_order_of_arrival_does_not_show_in_the_log(send, database):
    events = [event(ms=now_ms() - n * 1000) for n in range(60)]
    ann, ben = learner(), learner()
    await send(batch(events), ann)
    for n in range(0, 60, 7):
        await send(batch(list(reversed(events))[n : n + 7]), ben)
    async with database.read() as session:
        first, second = [await read_after(session, user, None) for user in (ann, ben)]
    assert [e.event_id for e in first] == [e.event_id for e in second]
    assert [e.order for e in first] == sorted(e.order for e in first)
    assert len(first) == 60


async def test_e07_a_late_event_marks_its_own_day_for_every_consumer(send, admin):
    user, late = learner(), event(ms=now_ms() - 89 * DAY)
    await send(batch([event()]), user)
    await admin.execute("delete from dirty_days where user_id = $1", user)
    taken = await send(batch([late]), user)
    assert taken.outcomes[0].warnings[0] == "late"
    marks = await admin.fetch("select consumer, local_date from dirty_days where user_id = $1", user)
    day = await admin.fetchval("select local_date from study_events where event_id = $1", late["id"])
    assert {(m["consumer"], m["local_date"]) for m in marks} == {("live", day), ("rollup", day)}


async def test_e08_older_than_retention_is_not_taken_and_imports_reach_further(send, database, admin):
    user = learner()
    old = event("session_end", ms=now_ms() - 800 * DAY)
    assert codes(await send(batch([old, event()]), user)) == ["too_old", "accepted"]
    imported = learner()
    result = await ingest_events(database, [old, event("session_end", ms=now_ms() - 21 * 366 * DAY)], imported)
    assert [o.code.value if o.code else "accepted" for o in result.outcomes] == ["accepted", "too_old"]
    assert await stored_ids(admin, imported) == [old["id"]]


async def test_e08_nothing_before_a_checkpoint_is_taken(send, database, admin):
    user = learner()
    await send(batch([event()]), user)
    await admin.execute(
        "insert into state_checkpoints (user_id, analytic, parameter_version, event_ts, event_id, code_version, digest,"
        " state) values ($1, 'mastery', 'p1', $2, $3, '0', decode(repeat('00', 32), 'hex'), '{}')",
        user, datetime.now(UTC) - timedelta(days=30), uuid4(),
    )  # fmt: skip
    before, after = event("session_end", ms=now_ms() - 31 * DAY), event("session_end", ms=now_ms() - 29 * DAY)
    result = await ingest_events(database, [before, after], user)
    assert dict(result.codes) == {"too_old": 1}
    assert result.counts["accepted"] == 1


async def test_e09_times_ahead_and_impossible_times(send, admin):
    user, now = learner(), now_ms()
    partitions = await admin.fetchval("select count(*) from pg_class where relname like 'study_events_p%'")
    far = 9_000_000_000_000_000 & (2**48 - 1)
    events = [
        event(ms=now + 60_000),
        event(ms=now + 6 * 60_000),
        event(ms=now + 25 * HOUR),
        {**event(), "occurred_at": "0000-01-01T00:00:00Z"},
        {**event(), "occurred_at": "9999-01-01T00:00:00Z"},
        {**event(), "occurred_at": "294276-01-01T00:00:00Z"},
        {**event(), "occurred_at": "infinity"},
        {**event(), "id": str(new_event_id(now // 1000))},
        {**event(), "id": str(new_event_id(far))},
        {**event(), "id": str(new_event_id(2**48 - 1)), "session_id": str(uuid4())},
    ]
    taken = await send(batch(events), user)
    assert codes(taken) == [
        "accepted", "accepted", "in_future", "time.unparseable", "time.unparseable", "time.unparseable",
        "time.unparseable", "id.time_mismatch", "id.time_mismatch", "id.time_mismatch",
    ]  # fmt: skip
    assert "clock.ahead" not in taken.outcomes[0].warnings
    assert "clock.ahead" in taken.outcomes[1].warnings
    assert await admin.fetchval("select count(*) from pg_class where relname like 'study_events_p%'") == partitions


async def test_e10_a_leap_second_is_read_as_the_last_millisecond(send, admin):
    user = learner()
    day = datetime.now(UTC).replace(hour=23, minute=59, second=59, microsecond=999_000) - timedelta(days=1)
    ms = int(day.timestamp() * 1000)
    leap = {**event(ms=ms), "occurred_at": day.strftime("%Y-%m-%dT23:59:60Z")}
    assert codes(await send(batch([leap]), user)) == ["accepted"]
    row = await admin.fetchrow("select occurred_at, occurred_at_raw from study_events where user_id = $1", user)
    assert row["occurred_at"] == day
    assert row["occurred_at_raw"].endswith(":60Z")


async def test_e11_naive_times_are_refused_and_half_hour_zones_are_kept(send, admin):
    user = learner()
    naive = {**event(), "occurred_at": iso(now_ms(), "Z")[:-1]}
    zone = event(offset="Z", tz="Asia/Kathmandu")
    assert codes(await send(batch([naive, zone]), user)) == ["time.no_offset", "accepted"]
    row = await admin.fetchrow("select utc_offset_minutes, zone_source from study_events where user_id = $1", user)
    assert tuple(row) == (345, "tz")


async def test_e13_a_wrong_clock_is_corrected_by_the_batch(send, admin):
    user, wrong = learner(), now_ms() - 3 * HOUR
    taken = await send(batch([event(ms=wrong - 10_000), event(ms=wrong - 5_000)], sent_ms=wrong), user)
    assert all("clock.skewed" in each.warnings for each in taken.outcomes)
    rows = await admin.fetch(
        "select occurred_at, effective_at, clock_skew_ms from study_events where user_id = $1 order by event_ts", user
    )
    assert abs(rows[0]["clock_skew_ms"] - 3 * HOUR) < 60_000
    assert rows[1]["effective_at"] - rows[0]["effective_at"] == timedelta(seconds=5)
    assert abs(rows[0]["effective_at"] - rows[0]["occurred_at"] - timedelta(hours=3)) < timedelta(minutes=1)


async def test_e13_a_clock_a_day_wrong_stores_nothing(send, admin):
    user, wrong = learner(), now_ms() - 30 * HOUR
    assert codes(await send(batch([event(ms=wrong)], sent_ms=wrong), user)) == ["clock.unusable"]
    assert await stored_ids(admin, user) == []


async def test_e13_with_a_monotonic_clock_each_event_is_exact(send, admin):
    user, boot, now = learner(), str(uuid4()), now_ms()
    # set right in the middle of the queue: the first event was stamped three hours early, the second correctly
    before = event(ms=now - 3 * HOUR - 60_000, boot_id=boot, monotonic_ms=1_000_000)
    after = event(ms=now - 30_000, boot_id=boot, monotonic_ms=1_030_000)
    await send(batch([before, after], boot_id=boot, sent_monotonic_ms=1_060_000), user)
    rows = await admin.fetch("select effective_at from study_events where user_id = $1 order by event_ts", user)
    assert abs(rows[1]["effective_at"] - rows[0]["effective_at"] - timedelta(seconds=30)) < timedelta(seconds=2)


async def test_e17_types_and_versions(send):
    user = learner()
    events = [event("dance"), {**event(), "schema": 2}, {**event(), "schema": 0}, event()]
    taken = await send(batch(events), user)
    assert codes(taken) == ["type.unknown", "schema.too_new", "schema.range", "accepted"]
    assert (taken.outcomes[1].status.value, taken.outcomes[1].retry_after_seconds) == ("retry", 86_400)


def test_e17_an_older_version_is_read_as_the_newest():
    upcasters = {("x", 1): lambda d: {**d, "b": 2}, ("x", 2): lambda d: {**d, "c": d["b"] + 1}}
    assert upcast("x", 1, {"a": 1}, upcasters) == {"a": 1, "b": 2, "c": 3}
    assert upcast("x", 3, {"a": 1}, upcasters) == {"a": 1}


async def test_e18_a_person_never_seen(send, admin):
    user = learner()
    await send(batch([event()]), user)
    assert await admin.fetchval("select count(*) from users where user_id = $1", user) == 1
    named = [event(user_id=str(learner())), event(user_id=str(user)), event()]
    service = Sender(is_service=True)
    assert codes(await send(batch(named), user, sender=service)) == ["subject.forbidden", "accepted", "user.missing"]
    assert codes(await send(batch(named[:1]), user, sender=Sender(is_service=True, may_create=True))) == ["accepted"]


@pytest.mark.parametrize(
    "text", ["00000000-0000-0000-0000-000000000000", "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12, "me"]
)
async def test_e18_nobody_is_nil(send, text):
    taken = await send(batch([event(user_id=text)]), learner(), sender=Sender(is_service=True, may_create=True))
    assert codes(taken) == ["user.malformed"]


async def test_e20_a_batch_that_is_partly_invalid(send, admin):
    user = learner()
    events = [event() for _ in range(10)]
    events[3]["data"]["mode"] = "sleeping"
    events[7]["id"] = str(uuid4())
    taken = await send(batch(events), user)
    assert codes(taken)[3] == "schema.enum"
    assert (codes(taken)[7], taken.outcomes[3].path) == ("id.not_uuid7", "/data/mode")
    assert len(await stored_ids(admin, user)) == 8


async def test_e20_atomic_stores_all_or_nothing(send, admin):
    user, one = learner(), event()
    await send(batch([one]), user)
    conflicting = {**one, "data": {**one["data"], "answer": ["D"]}}
    taken = await send(batch([event(), conflicting, one | {"id": event()["id"]}]), user, atomic=True)
    assert codes(taken) == ["batch.atomic_abort", "conflict.stored", "batch.atomic_abort"]
    assert await stored_ids(admin, user) == [one["id"]]
    assert (
        await admin.fetchval("select sum(n_events) from dirty_days where user_id = $1 and consumer = 'live'", user) == 1
    )
    assert codes(await send(batch([event(), one]), user, atomic=True)) == ["accepted", "duplicate.stored"]


async def test_e14_an_erased_person_sends_nothing_any_more(send, database, admin, cluster, fresh_database):  # noqa: F811
    from osler.db.connect import connect_plainly

    user = learner()
    await send(batch([event()]), user)
    eraser = await connect_plainly(cluster.urls(fresh_database).eraser)
    try:
        await bury(eraser, database, user)
    finally:
        await eraser.close()
    assert await stored_ids(admin, user) == []
    events = [event(), event(ms=now_ms() - 300 * DAY)]
    taken = await send(batch(events), user)
    assert codes(taken) == ["subject.erased"] * 2
    assert await stored_ids(admin, user) == []
    service = await send(batch([event(user_id=str(user))]), user, sender=Sender(is_service=True))
    assert codes(service)[0] in {"subject.erased", "subject.forbidden"}


async def test_e14_without_consent_nothing_is_taken(send, admin):
    user = learner()
    assert codes(await send(batch([event("day_report"), event()]), user)) == ["subject.consent_withdrawn", "accepted"]
    await admin.execute(
        'update users set consents = \'{"wellbeing": "2026-11-01T00:00:00Z"}\' where user_id = $1', user
    )
    assert codes(await send(batch([event("day_report")]), user)) == ["accepted"]
    await admin.execute("update users set consents = '{\"analytics\": null}' where user_id = $1", user)
    assert codes(await send(batch([event(), event("day_report")]), user)) == ["subject.consent_withdrawn"] * 2


async def test_e21_undone_and_doubled_actions_are_facts_like_others(send, admin):
    """The log keeps what was said; what a second end or a skip means is decided by the folds."""
    user, session, other = learner(), str(uuid4()), str(uuid4())
    story = [
        event("session_start", session_id=session), event("session_start", session_id=other),
        event("question_skip", session_id=session), event("question_submit", session_id=session),
        event("session_end", session_id=session), event("session_end", session_id=session),
        event("session_end", session_id=str(uuid4())),
    ]  # fmt: skip
    taken = await send(batch(story), user)
    assert codes(taken) == ["accepted"] * 7
    assert [("session.unknown" in each.warnings) for each in taken.outcomes] == [False] * 6 + [True]
    assert len(await stored_ids(admin, user)) == 7


async def test_e28_the_same_source_rows_imported_twice(database, admin):
    user, base = learner(), now_ms() - 5 * 365 * DAY
    rows = [
        {
            **event("flashcard_review", ms=base + n * HOUR),
            "id": str(deterministic_id("anki", f"1:{n}", base + n * HOUR)),
        }
        for n in range(30)
    ]
    first, second = [await ingest_events(database, rows, user) for _ in range(2)]
    assert (first.counts["accepted"], second.counts["duplicate"]) == (30, 30)
    assert len(await stored_ids(admin, user)) == 30
    assert await admin.fetchval("select distinct zone_source from study_events where user_id = $1", user) == "import"
