"""A class changes: members come and go, each on record for the person concerned, and no kept answer outlives it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from osler.catalog.classes import MemberRole, Moved, put_members, take_members
from osler.db.engine import WriteSession
from osler.http.audit import AuditEntry, record
from osler.http.cache.news import announce

ANNOUNCED_ONE_BY_ONE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """Who comes into a class, as what, and who leaves it."""

    learners: Collection[UUID] = ()
    educators: Collection[UUID] = ()
    leave: Collection[UUID] = ()
    since_on: date | None = None


async def change_members(session: WriteSession, cohort_id: str, change: Change, by: AuditEntry) -> Moved:
    """Carry out a change; whoever moved has an entry `by` in `access_audit`: an educator reaches them now, or no more.

    Errors: NotFound as `put_members` says; then nothing is changed.
    """
    came = [
        await put_members(session, cohort_id, people, role, change.since_on)
        for role, people in ((MemberRole.LEARNER, change.learners), (MemberRole.EDUCATOR, change.educators))
        if people
    ]
    went = await take_members(session, cohort_id, change.leave) if change.leave else Moved()
    moved = Moved(
        added=tuple(user_id for each in came for user_id in each.added),
        changed=tuple(user_id for each in came for user_id in each.changed),
        removed=went.removed,
        same=(*(user_id for each in came for user_id in each.same), *went.same),
    )
    for user_id in moved.moved:
        await record(session, replace(by, subject_id=user_id, fields=("class",)))
    if len(moved.moved) > ANNOUNCED_ONE_BY_ONE:
        await announce(session, None)
    else:
        for user_id in moved.moved:
            await announce(session, user_id)
    return moved
