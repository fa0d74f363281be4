"""Who am I, what have I set, which exam do I sit, what have I agreed to, who looked at my data."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from osler.analytics.states import declare_stale
from osler.catalog import queries, writes
from osler.catalog.consents import Purpose, is_given
from osler.catalog.learners import setup
from osler.db.engine import ReadSession
from osler.domain.local_day import FIRST_DAY, LAST_DAY
from osler.errors import InvalidInput, NotFound
from osler.http.deps import AsOf, Here, ReadDb, WriteDb
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router
from osler.http.tables import access_audit

ReadSelf = Annotated[Scope, Depends(require(Action.READ_SELF))]
WriteSelf = Annotated[Scope, Depends(require(Action.WRITE_SELF))]
ReadAudit = Annotated[Scope, Depends(require(Action.READ_AUDIT))]

AUDIT_ROWS = 500
NO_HOMES = frozenset({"Factory", "localtime", "posixrules"})
"""Files among the zones that name no place: what they mean is each machine's own, and PostgreSQL may not know them."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - NO_HOMES)


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError
    return name


Zone = Annotated[str, AfterValidator(_zone), Field(max_length=64, examples=["Asia/Kolkata"])]
Minutes = Annotated[int, Field(ge=0, le=1440)]


class Strict(BaseModel):
    """A body that takes the fields it names and no others."""

    model_config = ConfigDict(extra="forbid")


class SettingsOut(BaseModel):
    """What the learner has set."""

    time_zone: str = Field(description="home zone, IANA name", examples=["Asia/Kolkata"])
    day_start_minutes: int = Field(description="when a study day begins, minutes after midnight", examples=[240])
    desired_retention: float = Field(description="probability of recall at which an item is due", examples=[0.9])


class ExamChoice(Strict):
    """The exam that a learner prepares for."""

    exam_id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["usmle-step-1"])
    exam_on: date | None = Field(
        default=None, ge=FIRST_DAY, le=LAST_DAY, description="day in the learner's zone", examples=["2027-03-14"]
    )
    minutes_per_day: list[Minutes] | None = Field(
        default=None, min_length=7, max_length=7, description="planned study time, Monday first, minutes",
        examples=[[60, 60, 60, 60, 60, 120, 0]],
    )  # fmt: skip
    goal_score: float | None = Field(default=None, ge=0, le=1, description="share of points aimed at", examples=[0.7])


class Me(BaseModel):
    """The caller as Osler knows them: a pseudonym, settings, an exam."""

    user_id: UUID = Field(description="pseudonym", examples=["5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11"])
    roles: list[str] = Field(examples=[["learner"]])
    settings: SettingsOut
    exam: ExamChoice | None
    days_to_exam: int | None = Field(description="local days until the exam", examples=[112])
    today: date = Field(description="the learner's local study day", examples=["2026-11-22"])
    consents: dict[str, bool] = Field(examples=[{"analytics": True, "cohort": False}])
    is_sample: bool = Field(description="made by the simulator", examples=[False])
    as_of: datetime = Field(description="instant of this answer", examples=["2026-11-22T10:15:00Z"])


class SettingsIn(Strict):
    """Changes of settings; what is not named stays."""

    time_zone: Zone | None = None
    day_start_minutes: int | None = Field(default=None, ge=0, le=360, examples=[240])
    desired_retention: float | None = Field(default=None, ge=0.7, le=0.97, examples=[0.9])


class ConsentIn(Strict):
    """A yes or a no to one purpose."""

    purpose: Purpose = Field(examples=["cohort"])
    given: bool = Field(examples=[True])


class AccessOut(BaseModel):
    """One read of a person's data by somebody else."""

    at: datetime = Field(examples=["2026-11-22T10:15:00Z"])
    role: str = Field(examples=["educator"])
    action: str = Field(examples=["analytics:read"])
    purpose: str = Field(examples=["teaching"])
    fields: list[str] = Field(examples=[["mastery"]])
    result: str = Field(examples=["allowed"])


class Accesses(BaseModel):
    """Who looked, newest first; at most 500."""

    accesses: list[AccessOut]
    n: int = Field(examples=[1])


async def read_me(s: ReadSession, scope: Scope, as_of: datetime) -> Me:
    """Everything that `/api/me` says. Errors: NotFound when the learner was erased."""
    row = await queries.user(s, scope.user_id)
    if row is None:
        raise NotFound("There is nothing here.")
    own = await setup(s, scope.user_id)
    chosen: dict[str, Any] = {"exam_id": own.exam_id, "exam_on": own.exam_on, "goal_score": own.goal_score}
    exam = ExamChoice(**chosen, minutes_per_day=_listed(own.minutes_per_day)) if own.exam_id else None
    return Me(
        user_id=scope.user_id,
        roles=sorted(scope.principal.roles),
        settings=SettingsOut.model_validate(row, from_attributes=True),
        exam=exam,
        days_to_exam=own.days_to_exam(as_of),
        today=own.today(as_of),
        consents={purpose.value: is_given(row["consents"], purpose) for purpose in Purpose},
        is_sample=row["is_sample"],
        as_of=as_of,
    )


async def _refuse_past(s: ReadSession, user_id: UUID, exam_on: date | None, as_of: datetime) -> None:
    """Errors: InvalidInput for a day that is over; an import may bring such a day, a plan cannot be made for one."""
    today = (await setup(s, user_id)).today(as_of)
    if exam_on is not None and exam_on < today:
        raise InvalidInput(
            "That day is over. Give the next day on which you sit the exam, or null while there is none; "
            "how an exam went goes to /api/analytics/exam-readiness/outcomes.",
            code="exam.past",
        )


def _listed(minutes: tuple[int, ...] | None) -> list[int] | None:
    return None if minutes is None else list(minutes)


def router() -> APIRouter:
    """Routes of the caller's own entry."""
    routes = api_router("/api/me", "me")

    @routes.get("")
    async def me(scope: ReadSelf, db: ReadDb, as_of: AsOf) -> Me:
        """Who the caller is, with settings, exam and consents."""
        return await read_me(db, scope, as_of)

    @routes.put("")
    async def change(body: SettingsIn, scope: WriteSelf, here: Here, db: WriteDb, as_of: AsOf) -> Me:
        """Change zone, start of the day or target recall; a new zone counts from the next event on."""
        await writes.change_settings(db, scope.user_id, body.model_dump(exclude_none=True))
        if body.desired_retention is not None:
            await declare_stale(db, [scope.user_id])  # due days rest on it
        await here.changed(db, scope.user_id)
        return await read_me(db, scope, as_of)

    @routes.put("/exam")
    async def exam(body: ExamChoice, scope: WriteSelf, here: Here, db: WriteDb, as_of: AsOf) -> Me:
        """Choose the exam, its day and the minutes planned for it. The day is today or ahead, in the learner's zone."""
        await _refuse_past(db, scope.user_id, body.exam_on, as_of)
        await writes.choose_exam(
            db, scope.user_id, body.exam_id, exam_on=body.exam_on, minutes_per_day=body.minutes_per_day,
            goal_score=body.goal_score,
        )  # fmt: skip
        await here.changed(db, scope.user_id)
        return await read_me(db, scope, as_of)

    @routes.put("/consent")
    async def consent(body: ConsentIn, scope: WriteSelf, here: Here, db: WriteDb, as_of: AsOf) -> Me:
        """Say yes or no to a purpose. A no to `analytics` refuses every event from the next one on."""
        await writes.state_consent(db, scope.user_id, body.purpose, given=body.given, at=as_of)
        await here.changed(db, scope.user_id)
        return await read_me(db, scope, as_of)

    @routes.get("/accesses")
    async def accesses(scope: ReadAudit, db: ReadDb) -> Accesses:
        """Who else asked for the caller's data, as what, why, and whether it was allowed."""
        found = await db.rows(_ACCESSES.where(access_audit.c.subject_id == scope.user_id))
        listed = [AccessOut.model_validate(row, from_attributes=True) for row in found]
        return Accesses(accesses=listed, n=len(listed))

    return routes


_ACCESSES = (
    sa.select(
        access_audit.c.at, access_audit.c.role, access_audit.c.action, access_audit.c.purpose, access_audit.c.fields,
        access_audit.c.result,
    )
    .order_by(access_audit.c.at.desc())
    .limit(AUDIT_ROWS)
)  # fmt: skip
