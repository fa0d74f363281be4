"""Two pseudonyms of one person become one: whole, equal to a replay, and refused where they cannot be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, history, send
from tests.support.nightly import EXAM, enrol, exam_catalogue, recently

from osler.analytics.registry import analytics
from osler.catalog import writes
from osler.catalog.consents import Purpose
from osler.cli.roster import by_operator
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.errors import Conflict, InvalidInput, NotFound, OslerError
from osler.http.policy import Action
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.replay import as_json
from osler.privacy.erasure import erase
from osler.worker.joining import Asked, Joined, join
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration
ONE = UUID("5f0c0000-0000-4000-8000-0000000000c1")
BY = replace(by_operator(Action.WRITE_SELF), subject_id=LEARNER, fields=("joined",))


async def rows(database: Database, query: str, **values: Any) -> list[tuple[Any, ...]]:
    async with database.read(primary=True) as s:
        return [tuple(row) for row in await s.tuples(sa.text(query), values)]


async def signs_in(database: Database, *user_ids: UUID) -> None:
    async with database.write() as s:
        for user_id in user_ids:
            await s.execute(
                sa.text("insert into identities (issuer, subject_mac, user_id) values ('https://id.example', :m, :u)"),
                {"m": sha256(user_id.bytes).digest(), "u": user_id},
            )


async def halves(database: Database) -> list[dict[str, Any]]:
    """The same events as one learner's, and every second one under the other of two pseudonyms."""
    await exam_catalogue(database)
    await enrol(database, LEARNER, exam_on=recently(-40).date())
    await enrol(database, OTHER, exam_on=None)
    await enrol(database, ONE, exam_on=recently(-40).date())
    events = history(20, start=recently(21))
    await send(database, events[::2], LEARNER)
    await send(database, events[1::2], OTHER)
    await send(database, events, ONE)
    await signs_in(database, LEARNER, OTHER)
    await drain(database, Live(database, analytics()))
    return list(events)


async def joined(database: Database, **said: Any) -> Joined:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    done = await join(database, Asked(LEARNER, OTHER, **said), BY, pause)
    assert waited == [120]
    return done


async def test_the_one_who_stays_is_as_if_they_had_done_all_of_it(database: Database, admin: Driver) -> None:
    events = await halves(database)
    async with database.write() as s:
        await s.execute(sa.text("insert into cohorts (cohort_id, name) values ('c', 'C')"))
        await s.execute(
            sa.text("insert into cohort_members (cohort_id, user_id, role, since_on) values ('c', :u, 'learner', :d)"),
            {"u": OTHER, "d": recently(30).date()},
        )
    done = await joined(database)
    assert (done.stored, done.left) == (len(events[1::2]), {})
    assert (done.moved["sign_ins"], done.moved["classes"]) == (1, 1)
    assert done.certificate is not None
    mine = "select {} from {} where user_id = :u order by 1, 2, 3"
    for columns, table in (
        ("event_id, content_hash, local_date, effective_at, is_correct", "study_events"),
        ("topic_id, mastery, mastery_score, attempts", "topic_mastery"),
        ("item_id, first_at, due_on", "item_memory"),
        ("started_at, ended_at, last_event_id", "study_sessions"),
    ):
        both = [await rows(database, mine.format(columns, table), u=user_id) for user_id in (LEARNER, ONE)]
        assert both[0] == both[1] != [], table
    assert await rows(database, "select count(*) from identities where user_id = :u", u=LEARNER) == [(2,)]
    assert await rows(database, "select count(*) from cohort_members where user_id = :u", u=LEARNER) == [(1,)]
    assert await rows(database, "select count(*) from users where user_id = :u", u=OTHER) == [(0,)]
    told = await rows(database, "select role, fields from access_audit where subject_id = :u", u=LEARNER)
    assert told == [("operator", ["joined"])]
    found = as_json((await verify_now(database)).report)
    assert found["equal"], found
    late = await ingest_events(database, events[1:2], OTHER)
    assert late.counts["refused"] == 1, "nothing is collected under the pseudonym that went"
    assert (await ingest_events(database, events[1:2], LEARNER)).counts["duplicate"] == 1


async def test_what_comes_under_the_other_until_the_door_closes_is_not_lost(database: Database) -> None:
    events = await halves(database)
    last: Sequence[dict[str, Any]] = history(1, start=recently(1))

    async def meanwhile(seconds: float) -> None:
        await send(database, last, OTHER)

    done = await join(database, Asked(LEARNER, OTHER), BY, meanwhile)
    assert done.stored == len(events[1::2]) + len(last)
    assert await rows(database, "select count(*) from study_events where user_id = :u", u=LEARNER) == [
        (len(events) + len(last),)
    ]


async def refused(database: Database, kind: type[OslerError], code: str, **said: Any) -> None:
    before = await rows(database, "select user_id, count(*) from study_events group by 1 order by 1")
    with pytest.raises(kind) as error:
        await joined(database, **said)
    assert error.value.code == code
    assert await rows(database, "select user_id, count(*) from study_events group by 1 order by 1") == before
    assert await rows(database, "select count(*) from tombstones") == [(0,)]


async def test_what_cannot_be_one_person_is_refused_and_nothing_is_changed(database: Database) -> None:
    await exam_catalogue(database)
    await enrol(database, LEARNER)
    await refused(database, NotFound, "join.unknown")
    await enrol(database, OTHER, exam_on=None)
    await send(database, history(2, start=recently(3)), OTHER)
    await refused(database, InvalidInput, "join.named")
    await signs_in(database, OTHER)
    with pytest.raises(InvalidInput) as same:
        await join(database, Asked(OTHER, OTHER), BY)
    assert same.value.code == "join.same"
    for change, code in (
        ("is_sample = :so", "join.sample"),
        ("consents = case when :so then jsonb_build_object('analytics', null) else '{}' end", "join.consent"),
        ("erase_requested_at = case when :so then now() end", "join.erasure"),
    ):
        for is_so in (True, False):
            async with database.write() as s:
                await s.execute(
                    sa.text(f"update users set {change} where user_id = :u").bindparams(
                        sa.bindparam("so", type_=sa.Boolean())
                    ),
                    {"u": OTHER, "so": is_so},
                )
            if is_so:
                await refused(database, InvalidInput, code)
    await erase(database.settings, LEARNER)
    with pytest.raises(NotFound):
        await joined(database)


async def test_what_would_be_lost_is_counted_and_lost_only_when_that_is_said(database: Database) -> None:
    events = await halves(database)
    async with database.write() as s:
        for user_id, score in ((LEARNER, 0.5), (OTHER, 0.75)):
            await s.execute(
                sa.text("insert into exam_outcomes (user_id, exam_id, exam_on, score, source) "
                        "values (:u, :e, :d, :s, 'import')"),
                {"u": user_id, "e": EXAM, "d": recently(2).date(), "s": score},
            )  # fmt: skip
    same_id = {**events[1], "data": {**events[1]["data"], "time_to_answer_seconds": 7.0}}
    await send(database, [same_id], LEARNER)
    await refused(database, Conflict, "join.rest")
    done = await joined(database, without_rest=True)
    assert done.left == {"conflicts": 1, "results_that_differ": 1}
    assert done.stored == len(events[1::2]) - 1
    assert await rows(database, "select score from exam_outcomes where user_id = :u", u=LEARNER) == [(0.5,)]


async def test_a_no_of_either_stays_a_no(database: Database) -> None:
    await halves(database)
    async with database.write() as s:
        await writes.state_consent(s, LEARNER, Purpose.COHORT, given=True, at=recently(3))
        await writes.state_consent(s, OTHER, Purpose.COHORT, given=False, at=recently(3))
    await joined(database)
    assert await rows(database, "select consents->'cohort' = 'null' from users where user_id = :u", u=LEARNER) == [
        (True,)
    ]
