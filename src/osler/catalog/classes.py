"""Who is in which class: classes made and renamed, members put in and taken out. The caller's transaction commits.

A member counts from `since_on` until before `until_on`, by the database's day. Leaving writes `until_on`, so that it
stays told who was in a class when; coming back begins a new time in place of the old one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.dialects.postgresql import insert

from osler.catalog.curriculum import LONGEST_NAME, is_unseen
from osler.catalog.tables import cohort_members, cohorts, exams, users
from osler.db.engine import ReadSession, WriteSession
from osler.domain.event_fields import ID_PATTERN
from osler.domain.privacy_gate import looks_personal
from osler.errors import InvalidInput, NotFound


class MemberRole(StrEnum):
    """What somebody is in a class."""

    LEARNER = "learner"
    EDUCATOR = "educator"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of members did: who came, who is something else now, who left, who was so already."""

    added: tuple[UUID, ...] = ()
    changed: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    same: tuple[UUID, ...] = ()

    @property
    def moved(self) -> tuple[UUID, ...]:
        """Everybody for whom something changed."""
        return (*self.added, *self.changed, *self.removed)


async def put_class(s: WriteSession, cohort_id: str, name: str | None, exam_id: str | None) -> bool:
    """Make a class, or give it another name or exam; what is None stays. Whether anything changed.

    Errors: InvalidInput for an id or a name that cannot be one; NotFound for an exam that is not there.
    """
    _check_names(cohort_id, name)
    if exam_id is not None and await s.scalar(sa.select(exams.c.exam_id).where(exams.c.exam_id == exam_id)) is None:
        raise NotFound(f"there is no exam '{exam_id}'", code="exam.unknown")
    found = await s.one(sa.select(cohorts).where(cohorts.c.cohort_id == cohort_id))
    if found is None:
        await s.execute(insert(cohorts).values(cohort_id=cohort_id, name=name or cohort_id, exam_id=exam_id))
        return True
    wanted: dict[str, Any] = {key: value for key, value in (("name", name), ("exam_id", exam_id)) if value is not None}
    if all(found[key] == value for key, value in wanted.items()):
        return False
    await s.execute(sa.update(cohorts).where(cohorts.c.cohort_id == cohort_id).values(wanted))
    return True


def _check_names(cohort_id: str, name: str | None) -> None:
    if not re.fullmatch(ID_PATTERN, cohort_id) or looks_personal(cohort_id):
        raise InvalidInput(
            "the id of a class has 1 to 64 of the signs A-Z a-z 0-9 _ . : - and names no person", code="class.id"
        )
    if name is not None and (not 1 <= len(name.strip()) <= LONGEST_NAME or any(map(is_unseen, name))):
        raise InvalidInput(
            f"the name of a class has 1 to {LONGEST_NAME} characters, all of which can be seen", code="class.name"
        )


async def class_list(s: ReadSession) -> list[RowMapping]:
    """Every class with its exam and how many learners and educators it has today."""
    now = sa.and_(cohort_members.c.cohort_id == cohorts.c.cohort_id, _is_member())
    counts = [
        sa.func.count(cohort_members.c.user_id).filter(cohort_members.c.role == role.value).label(f"{role.value}s")
        for role in MemberRole
    ]
    chosen = sa.select(cohorts.c.cohort_id, cohorts.c.name, cohorts.c.exam_id, *counts)
    return await s.rows(
        chosen.select_from(cohorts.outerjoin(cohort_members, now))
        .group_by(cohorts.c.cohort_id)
        .order_by(cohorts.c.cohort_id)
    )


async def member_list(s: ReadSession, cohort_id: str, *, former: bool = False) -> list[RowMapping]:
    """Who is in a class today, educators first; with `former` also those who left and those who are to come.

    Errors: NotFound for a class that is not there.
    """
    await require_class(s, cohort_id)
    chosen = sa.select(
        cohort_members.c.user_id, cohort_members.c.role, cohort_members.c.since_on, cohort_members.c.until_on
    ).where(cohort_members.c.cohort_id == cohort_id)
    return await s.rows(
        (chosen if former else chosen.where(_is_member())).order_by(cohort_members.c.role, cohort_members.c.user_id)
    )


async def put_members(
    s: WriteSession, cohort_id: str, members: Collection[UUID], role: MemberRole, since_on: date | None = None
) -> Moved:
    """Put people into a class, from today or the day given. Who is in it in that role already stays as they are.

    Errors: NotFound for a class that is not there, or people whom Osler has not met: then nobody is put in.
    """
    await require_class(s, cohort_id)
    wanted = sorted(set(members))
    await _require_people(s, wanted)
    there = {row["user_id"]: row["role"] for row in await member_list(s, cohort_id)}
    added = tuple(user_id for user_id in wanted if user_id not in there)
    changed = tuple(user_id for user_id in wanted if there.get(user_id, role.value) != role.value)
    begins = sa.func.current_date() if since_on is None else sa.literal(since_on)
    for user_id in (*added, *changed):
        # A new time for who comes (back); a change of role keeps the time.
        values = {"role": role.value, "until_on": None} | ({"since_on": begins} if user_id in added else {})
        row = {"cohort_id": cohort_id, "user_id": user_id, "role": role.value, "since_on": begins}
        await s.execute(
            insert(cohort_members)
            .values(row)
            .on_conflict_do_update(index_elements=["cohort_id", "user_id"], set_=values)
        )
    same = tuple(user_id for user_id in wanted if there.get(user_id) == role.value)
    return Moved(added=added, changed=changed, same=same)


async def take_members(s: WriteSession, cohort_id: str, members: Collection[UUID]) -> Moved:
    """Take people out of a class, today. Who is not in it stays as they are.

    Errors: NotFound for a class that is not there.
    """
    await require_class(s, cohort_id)
    there = {row["user_id"] for row in await member_list(s, cohort_id, former=True) if row["until_on"] is None}
    there |= {row["user_id"] for row in await member_list(s, cohort_id)}
    gone = tuple(sorted(there & set(members)))
    mine = sa.and_(cohort_members.c.cohort_id == cohort_id, cohort_members.c.user_id.in_(gone))
    await s.execute(sa.update(cohort_members).where(mine).values(until_on=sa.func.current_date()))
    return Moved(removed=gone, same=tuple(sorted(set(members) - set(gone))))


async def require_class(s: ReadSession, cohort_id: str) -> None:
    """Errors: NotFound, naming what to do, for a class that is not there."""
    if await s.scalar(sa.select(cohorts.c.cohort_id).where(cohorts.c.cohort_id == cohort_id)) is None:
        raise NotFound(
            f"there is no class '{cohort_id}'; osler class create makes one, osler class list shows them",
            code="class.unknown",
        )


async def _require_people(s: ReadSession, wanted: Sequence[UUID]) -> None:
    chosen = sa.select(users.c.user_id).where(users.c.user_id.in_(wanted))
    unknown = set(wanted) - {row[0] for row in await s.tuples(chosen)}
    if unknown:
        raise NotFound(
            f"nobody has the pseudonym {', '.join(map(str, sorted(unknown)))}; nobody was put in. Who has never signed "
            "in nor sent an event is met by --subject",
            code="class.stranger",
        )


CLASS_OF = """(select min(c.cohort_id) from cohort_members c
 where c.user_id = {user_id} and c.role = 'learner' and c.until_on is null)"""
"""The class that a learner is in, the first by name: as asked by what is derived, so without a look at the day.

Who leaves has `until_on` from that moment on. `user_id` is the column that says whose.
"""


def _is_member() -> sa.ColumnElement[bool]:
    today, since, until = sa.func.current_date(), cohort_members.c.since_on, cohort_members.c.until_on
    return sa.and_(since <= today, sa.or_(until.is_(None), until > today))
