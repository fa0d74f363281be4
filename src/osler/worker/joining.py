"""Two pseudonyms of one person become one: the log of the one is stored again as the other's, then the one is erased.

An event is never changed, so it cannot change hands: it is stored a second time, with its id, its time and what was
concluded of it, under the pseudonym that stays. Everything derived follows from the log, as after an import. The
other pseudonym then goes the way of any erasure: proved, and closed for whatever still comes under it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.registry import analytics
from osler.analytics.states import fold_anew_who_reviewed
from osler.catalog import items, queries
from osler.catalog.consents import Purpose, is_given
from osler.catalog.own_learner import follow_own_learner
from osler.db.engine import Database, ReadSession, WriteSession
from osler.errors import Conflict, InvalidInput, NotFound
from osler.eventlog import marks
from osler.eventlog.erased import erased
from osler.eventlog.tombstones import KEY_NAME
from osler.http.audit import AuditEntry, record
from osler.http.auth import VERIFIED_SECONDS
from osler.http.cache.news import announce
from osler.http.identities import REMEMBERED_SECONDS
from osler.ingest.concluded import read_concluded
from osler.ingest.importers.jsonl import STORED
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.observe.keys import secret_key
from osler.privacy.erasure import Certificate, close_door, erase, is_begun
from osler.privacy.export import Export

FORGOTTEN_SECONDS = REMEMBERED_SECONDS + VERIFIED_SECONDS
"""How long a process may still take a sign-in for the pseudonym that goes."""
STRICT = (Purpose.ANALYTICS, Purpose.WELLBEING)
"""Purposes without which events are refused: where the two differ, whose word counts is not ours to say."""


@dataclass(slots=True)
class Joined:
    """What a join did: events stored again, those that the one who stays had already, and rows by table."""

    keep: UUID
    other: UUID
    stored: int = 0
    there: int = 0
    moved: dict[str, int] = field(default_factory=dict[str, int])
    left: dict[str, int] = field(default_factory=dict[str, int])
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator says: that nothing comes under the other any more, that what cannot be joined may be lost."""

    keep: UUID
    other: UUID
    is_closed: bool = False
    without_rest: bool = False
    wait_seconds: float = FORGOTTEN_SECONDS


async def join(
    db: Database, asked: Asked, by: AuditEntry, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Joined:
    """Join two pseudonyms of one person. It may be stopped at any point and asked for again.

    Errors: InvalidInput for a pair that cannot be one person's, or that would refuse events; NotFound for whom nobody
    knows; Conflict, counting them, for events that cannot be stored again; Misconfigured without the eraser's
    credential: nothing is changed then.
    """
    done = Joined(asked.keep, asked.other)
    if not await is_begun(db.settings, asked.other):  # what is being erased is taken over no more, only finished
        async with db.write() as session:
            await _check(session, db, asked)
            done.left = await _left_behind(session, asked)
            if done.left and not asked.without_rest:
                raise Conflict(_why_not(done.left), code="join.rest")
            done.moved = await _move(session, asked)
            await record(session, by)
            await announce(session, asked.keep)
        await _copy(db, done)
        await pause(asked.wait_seconds)
        await close_door(db.settings, asked.other)
        # What came in meanwhile is all there will ever be. Before a ticket is opened: the night finishes those.
        await _copy(db, done)
        await asyncio.to_thread(follow_own_learner, db.settings.home, asked.other, asked.keep)
    done.certificate = await erase(db.settings, asked.other, requested_by="command")
    await drain(db, Live(db, analytics()))
    return done


async def _check(session: WriteSession, db: Database, asked: Asked) -> None:
    if asked.keep == asked.other:
        raise InvalidInput("these are one pseudonym already", code="join.same")
    gone = await erased(session, [asked.keep, asked.other], secret_key(db.settings.home, KEY_NAME))
    keep, other = await queries.user(session, asked.keep), await queries.user(session, asked.other)
    for user_id, row in ((asked.keep, keep), (asked.other, other)):
        if row is None or (user_id in gone and user_id == asked.keep):
            raise NotFound(f"there is no learner {user_id}, or they were erased", code="join.unknown")
        if row["erase_requested_at"] is not None:
            raise InvalidInput(f"{user_id} asked to be erased: osler erase --requested does it", code="join.erasure")
    if keep is None or other is None:
        raise AssertionError
    if keep["is_sample"] != other["is_sample"]:
        raise InvalidInput("one of them is of the sample class: no person is both", code="join.sample")
    for purpose in STRICT:
        if is_given(keep["consents"], purpose) is not is_given(other["consents"], purpose):
            raise InvalidInput(
                f"they differ in their consent to '{purpose}': have it stated alike first (PUT /api/me/consent)",
                code="join.consent",
            )
    is_closed = asked.is_closed or asked.other in gone  # the door is closed already by a join that was stopped
    if not is_closed and not await session.scalar(sa.text(_SIGN_INS), {"other": asked.other}):
        raise InvalidInput(
            f"nobody signs in as {asked.other}: it is named by a service or an import, whose events would be refused "
            "from now on. Join the other way round, or say --nothing-comes-under-it (also to go on with a join that "
            "was stopped)",
            code="join.named",
        )


_SIGN_INS = "select count(*) from identities where user_id = :other"

# What the log of the one who stays cannot take.
_LEFT = """
select (select count(*) from study_events e where e.user_id = :other and e.event_ts <= k.until) as older_than_kept,
       (select count(*) from study_events e join study_events k on k.user_id = :keep and k.event_ts = e.event_ts
               and k.event_id = e.event_id where e.user_id = :other and k.content_hash <> e.content_hash) as conflicts,
       (select count(*) from exam_outcomes e join exam_outcomes k on k.user_id = :keep and k.exam_id = e.exam_id
               and k.exam_on = e.exam_on where e.user_id = :other
               and (k.score, k.passed) is distinct from (e.score, e.passed)) as results_that_differ,
       (select count(*) from study_events e, users u where e.user_id = :other and u.user_id = :keep
               and (k.until is null or e.event_ts > k.until)
               and (u.consents -> 'analytics' = 'null' or (e.event_type = 'day_report'
                    and coalesce(u.consents -> 'wellbeing', 'null') = 'null'))
               and not exists (select from study_events k where k.user_id = :keep and k.event_ts = e.event_ts
                               and k.event_id = e.event_id)) as withdrawn,
       (select count(distinct event_ts) from state_checkpoints where user_id = :other) as states_without_events
  from (select max(event_ts) as until from state_checkpoints where user_id = :keep) k
"""


async def _left_behind(session: ReadSession, asked: Asked) -> dict[str, int]:
    row = await session.one(sa.text(_LEFT), {"keep": asked.keep, "other": asked.other})
    return {name: int(n) for name, n in dict(row or {}).items() if n}


_MEANS = {
    "older_than_kept": "events lie before what retention has left of the one who stays",
    "conflicts": "events have an id under which the one who stays has something else",
    "results_that_differ": "results of the same exam on the same day are not the same",
    "withdrawn": "events are of a kind that both have refused since, and may not be stored again",
    "states_without_events": "states stand for months that retention has dropped, and are no events any more",
}


def _why_not(left: dict[str, int]) -> str:
    said = "; ".join(f"{n} {_MEANS[name]}" for name, n in left.items())
    return f"not all can be joined: {said}. Join the other way round, or lose them with --without-the-rest"


_MOVE = {
    "sign_ins": "update identities set user_id = :keep where user_id = :other returning 1",
    "cards": "insert into cards (user_id, card_id, topic_ids, mapped_by, is_suspended) "
    "select :keep, card_id, topic_ids, mapped_by, is_suspended from cards where user_id = :other "
    "on conflict do nothing returning card_id",
    "exams": "insert into user_exams (user_id, exam_id, exam_on, minutes_per_day, goal_score, is_current) "
    "select :keep, exam_id, exam_on, minutes_per_day, goal_score, is_current and not exists "
    "(select from user_exams k where k.user_id = :keep and k.is_current) from user_exams where user_id = :other "
    "on conflict do nothing returning 1",
    "results": "insert into exam_outcomes (user_id, exam_id, exam_on, score, passed, source) "
    "select :keep, exam_id, exam_on, score, passed, source from exam_outcomes where user_id = :other "
    "on conflict do nothing returning 1",
    "classes": "insert into cohort_members (cohort_id, user_id, role, since_on, until_on) "
    "select cohort_id, :keep, role, since_on, until_on from cohort_members where user_id = :other "
    "on conflict do nothing returning 1",
}

# A no of either stays a no.
_REFUSALS = """
update users k set consents = k.consents || (select coalesce(jsonb_object_agg(key, null), '{}')
       from users o, jsonb_each(o.consents) where o.user_id = :other and value = 'null'::jsonb)
 where k.user_id = :keep
"""


async def _move(session: WriteSession, asked: Asked) -> dict[str, int]:
    """Sign-ins, cards, exams, results and classes; where both have a row, that of the one who stays counts."""
    pair: dict[str, Any] = {"keep": asked.keep, "other": asked.other}
    moved: dict[str, int] = {}
    for what, statement in _MOVE.items():
        rows = await session.tuples(sa.text(statement), pair)
        moved[what] = len(rows)
        if what == "cards":
            cards = [row[0] for row in rows]
            await marks.mark_cards(session, asked.keep, cards)
            await fold_anew_who_reviewed(session, asked.keep, cards)
            if cards:  # a plan has those that were never reviewed, too
                await items.note_change(session, "join")
    await session.execute(sa.text(_REFUSALS), pair)
    return moved


async def _copy(db: Database, done: Joined) -> None:
    """Store the other's events as those of the one who stays, conclusions and all; what is there already stays.

    Errors: Conflict when an event is not taken that nothing spoke against before.
    """
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    async for events in Export(db, done.other, await db.now()).events(done.other):
        said = {str(event["id"]): read_concluded(event.pop(STORED, {})) for event in events}
        concluded = {event_id: found for event_id, found in said.items() if found is not None}
        result = await ingest_events(db, events, done.keep, is_server=True, keep_outcomes=False, concluded=concluded)
        counts.update(result.counts)
        codes.update(result.codes)
    done.stored, done.there = done.stored + counts["accepted"], max(done.there, counts["duplicate"] - done.stored)
    expected = sum(done.left.get(why, 0) for why in ("older_than_kept", "conflicts", "withdrawn"))
    if sum(counts.values()) - counts["accepted"] - counts["duplicate"] > expected:
        raise Conflict(f"events were not taken: {dict(codes)}; nothing was erased", code="join.not_taken")
