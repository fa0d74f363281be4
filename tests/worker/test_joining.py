"""Two pseudonyms of one person become one: whole, equal to a replay, and refused where they cannot be one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from tests.support.learning import LEARNER, OTHER, event, history, send
from tests.support.nightly import EXAM, enrol, exam_catalogue, recently

from osler.analytics.registry import analytics
from osler.catalog import items, writes
from osler.catalog.consents import Purpose
from osler.catalog.own_learner import own_learner
from osler.cli.roster import by_operator
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.errors import Conflict, InvalidInput, Misconfigured, NotFound, OslerError
from osler.eventlog import marks
from osler.http.policy import Action
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.replay import as_json
from osler.privacy.erasure import Certificate, close_door, erase
from osler.settings import Settings
from osler.worker import joining
from osler.worker.joining import Asked, Joined, join
from osler.worker.night import night_of
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
        for user_id in (OTHER, ONE):
            await items.tell_suspended(s, user_id, [], ["c1"])
            await marks.mark_cards(s, user_id, ["c1"])
        await s.execute(sa.text("insert into cohorts (cohort_id, name) values ('c', 'C')"))
        await s.execute(
            sa.text("insert into cohort_members (cohort_id, user_id, role, since_on) values ('c', :u, 'learner', :d)"),
            {"u": OTHER, "d": recently(30).date()},
        )
    (database.settings.home / "own-learner").write_text(str(OTHER))
    done = await joined(database)
    assert own_learner(database.settings.home) == LEARNER, "what is imported next is theirs"
    assert (done.stored, done.left) == (len(events[1::2]), {})
    assert (done.moved["sign_ins"], done.moved["classes"], done.moved["cards"]) == (1, 1, 1)
    assert done.certificate is not None
    mine = "select {} from {} where user_id = :u order by 1, 2, 3"
    for columns, table in (
        ("event_id, content_hash, local_date, effective_at, is_correct", "study_events"),
        ("topic_id, mastery, mastery_score, attempts", "topic_mastery"),
        ("item_id, first_at, due_on", "item_memory"),
        ("card_id, topic_ids, is_suspended", "cards"),
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


async def retained(database: Database, admin: Driver, user_id: UUID) -> None:
    """Two learners who sign in; of the one, retention has dropped three weeks, and keeps what they came to."""
    await exam_catalogue(database)
    for each in (LEARNER, OTHER):
        await enrol(database, each, exam_on=None)
    await signs_in(database, LEARNER, OTHER)
    await send(database, history(20, start=recently(85)), user_id)
    await admin.execute("alter table study_events disable trigger study_events_rows")
    await admin.execute("update study_events set received_at = now() - interval '8 days'")
    await admin.execute("alter table study_events enable always trigger study_events_rows")
    async with Database.open(database.settings.model_copy(update={"retention_months": 1})) as short:
        await night_of(short).run("retention", again=True)
    assert await rows(database, "select count(*) from study_events") == [(0,)], "unknown: nothing was dropped"


async def test_what_is_older_than_retention_left_of_the_one_who_stays_is_refused(
    database: Database, admin: Driver
) -> None:
    await retained(database, admin, LEARNER)
    before, after = history(3, start=recently(90)), history(2, start=recently(5))
    await send(database, [*before, *after], OTHER)
    await refused(database, Conflict, "join.rest")
    assert await rows(database, "select count(*) from identities where user_id = :u", u=OTHER) == [(1,)]
    kept = await rows(database, "select sum(attempts) from topic_mastery where user_id = :u", u=LEARNER)
    done = await joined(database, without_rest=True)
    assert (done.left, done.stored) == ({"older_than_kept": len(before)}, len(after))
    answers = sum(each["type"] == "question_submit" for each in after)
    assert answers, "unknown: nothing was answered"
    now = await rows(database, "select sum(attempts) from topic_mastery where user_id = :u", u=LEARNER)
    assert now[0][0] > kept[0][0] > 0, "on from what retention had left"
    found = as_json((await verify_now(database)).report)
    assert found["equal"], found


async def test_states_of_months_that_are_gone_are_no_events_and_are_not_lost_unsaid(
    database: Database, admin: Driver
) -> None:
    await retained(database, admin, OTHER)
    await send(database, history(2, start=recently(5)), OTHER)
    await send(database, history(2, start=recently(8)), LEARNER)
    await refused(database, Conflict, "join.rest")
    done = await joined(database, without_rest=True)
    assert (done.left, done.stored) == ({"states_without_events": 1}, 14)
    found = as_json((await verify_now(database)).report)
    assert found["equal"], found


@pytest.mark.parametrize("purpose", [Purpose.ANALYTICS, Purpose.WELLBEING])
async def test_what_both_have_refused_since_is_counted_before_anything_moves(
    database: Database, purpose: Purpose
) -> None:
    events = await halves(database)
    async with database.write() as s:
        await writes.state_consent(s, OTHER, Purpose.WELLBEING, given=True, at=recently(9))
    slept = event(recently(2), 5, "day_report", {"sleep_minutes": 400})
    await send(database, [slept], OTHER)
    async with database.write() as s:
        for user_id in (LEARNER, OTHER):
            await writes.state_consent(s, user_id, Purpose.WELLBEING, given=False, at=recently(1))
            await writes.state_consent(s, user_id, purpose, given=False, at=recently(1))
    await refused(database, Conflict, "join.rest")
    assert await rows(database, "select count(*) from identities where user_id = :u", u=OTHER) == [(1,)]
    done = await joined(database, without_rest=True)
    other = len(events[1::2])
    assert (done.left["withdrawn"], done.stored) == ((other + 1, 0) if purpose is Purpose.ANALYTICS else (1, other))


class Stopped(Exception):
    """The command is interrupted."""


# Where it is stopped, and whether a night goes by before it is asked for again: the night finishes what has a ticket.
STOPS = [
    ("waiting", False),
    ("closed", True),
    ("tombstoned", True),
    ("tombstoned", False),
    ("derived_deleted", False),
]


@pytest.mark.parametrize(("where", "a_night_goes_by"), STOPS)
async def test_a_join_that_was_stopped_goes_on_and_loses_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, where: str, *, a_night_goes_by: bool
) -> None:
    events = await halves(database)
    last = history(1, start=recently(1))

    async def waiting(seconds: float) -> None:
        await send(database, last, OTHER)
        if where == "waiting":
            raise Stopped

    async def closed(*args: Any) -> None:
        await close_door(*args)
        raise Stopped

    async def stopping(settings: Settings, user_id: UUID, **said: Any) -> Certificate:
        async def step(state: str) -> None:
            if state == where:
                raise Stopped

        return await erase(settings, user_id, on_step=step, **said)

    with monkeypatch.context() as patched:
        if where == "closed":
            patched.setattr(joining, "close_door", closed)
        patched.setattr(joining, "erase", stopping)
        with pytest.raises(Stopped):
            await join(database, Asked(LEARNER, OTHER), BY, waiting)
    if a_night_goes_by:
        await night_of(database).run("erasures", again=True)
    if (where, a_night_goes_by) != ("tombstoned", True):
        assert (await joined_again(database, where)).certificate is not None
    assert await rows(database, "select user_id, count(*) from study_events where user_id <> :u group by 1", u=ONE) == [
        (LEARNER, len(events) + len(last))
    ]
    assert await rows(database, "select state from erasures") == [("certified",)]


async def joined_again(database: Database, where: str) -> Joined:
    """Asked for again; as long as the door stands open the operator has to say that nothing comes any more."""

    async def no_pause(seconds: float) -> None: ...

    if where == "waiting":
        with pytest.raises(InvalidInput, match="go on with a join"):
            await join(database, Asked(LEARNER, OTHER), BY, no_pause)
    return await join(database, Asked(LEARNER, OTHER, is_closed=where == "waiting"), BY, no_pause)


async def test_without_the_erasers_credential_nothing_is_changed(database: Database) -> None:
    await halves(database)
    served = database.settings.model_copy(
        update={"database_url": SecretStr("postgresql://osler_app@localhost/osler"), "eraser_database_url": None}
    )
    bare = copy(database)
    object.__setattr__(bare, "settings", served)
    with pytest.raises(Misconfigured, match="OSLER_ERASER_DATABASE_URL"):
        await join(bare, Asked(LEARNER, OTHER), BY)
    assert await rows(database, "select count(*) from identities where user_id = :u", u=OTHER) == [(1,)]
