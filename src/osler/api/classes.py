"""Classes for platforms that have the rosters: which there are, who is in them, who comes and goes."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from osler.catalog.classes import class_list, member_list, put_class
from osler.errors import InvalidInput
from osler.http.classes import Change, change_members
from osler.http.deps import Here
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

Manage = Annotated[Scope, Depends(require(Action.MANAGE_CLASSES))]
ClassId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["sample-class.1"])]
MOST_PEOPLE = 1_000
People = Annotated[list[UUID], Field(max_length=MOST_PEOPLE, examples=[["5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11"]])]


class Strict(BaseModel):
    """A body that takes the fields it names and no others."""

    model_config = ConfigDict(extra="forbid")


class ClassIn(Strict):
    """What a class is called and prepares for; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=200, examples=["Sample class"])
    exam_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["usmle-step-1"])


class ClassWritten(BaseModel):
    """Whether anything is otherwise now."""

    changed: bool = Field(examples=[True])


class ClassOut(BaseModel):
    """One class today."""

    cohort_id: str = Field(examples=["sample-class.1"])
    name: str = Field(examples=["Sample class"])
    exam_id: str | None = Field(examples=["usmle-step-1"])
    learners: int = Field(examples=[22])
    educators: int = Field(examples=[1])


class Classes(BaseModel):
    """All classes."""

    classes: list[ClassOut]
    n: int = Field(examples=[1])


class MemberOut(BaseModel):
    """One member, by pseudonym."""

    user_id: UUID = Field(examples=["5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11"])
    role: str = Field(description="learner or educator", examples=["learner"])
    since_on: date = Field(description="member from this day", examples=["2026-10-05"])
    until_on: date | None = Field(description="member until before this day", examples=[None])


class Members(BaseModel):
    """Who is in a class today."""

    members: list[MemberOut]
    n: int = Field(examples=[23])


class MembersIn(Strict):
    """Who comes and who leaves; nobody else is touched. At most 1,000 people of each."""

    learners: People = Field(default_factory=list[UUID], description="come in as learners")
    educators: People = Field(default_factory=list[UUID], description="come in as educators")
    leave: People = Field(default_factory=list[UUID], description="leave, from today on")


class MembersWritten(BaseModel):
    """How many came, have another role, left, or were so already."""

    added: int = Field(examples=[2])
    changed: int = Field(examples=[0])
    removed: int = Field(examples=[1])
    same: int = Field(examples=[20])


def router() -> APIRouter:
    """Routes of classes."""
    routes = api_router("/api/classes", "classes")

    @routes.get("")
    async def classes(_: Manage, here: Here) -> Classes:
        """Every class with its exam, and how many learners and educators it has today."""
        async with here.db.read() as session:
            listed = [ClassOut.model_validate(row, from_attributes=True) for row in await class_list(session)]
        return Classes(classes=listed, n=len(listed))

    @routes.put("/{cohort_id}")
    async def put(cohort_id: ClassId, body: ClassIn, _: Manage, here: Here) -> ClassWritten:
        """Make a class, or give it another name or exam. Sent again, nothing changes."""
        async with here.db.write() as session:
            return ClassWritten(changed=await put_class(session, cohort_id, body.name, body.exam_id))

    @routes.get("/{cohort_id}/members")
    async def members(cohort_id: ClassId, _: Manage, here: Here) -> Members:
        """Who is in a class today, by pseudonym, educators first."""
        async with here.db.read() as session:
            found = await member_list(session, cohort_id)
        listed = [MemberOut.model_validate(row, from_attributes=True) for row in found]
        return Members(members=listed, n=len(listed))

    @routes.post("/{cohort_id}/members")
    async def change(cohort_id: ClassId, body: MembersIn, scope: Manage, here: Here) -> MembersWritten:
        """Put people into a class and take people out of it. It holds from the next request on.

        Whoever is moved finds it in their list of accesses. Sent again, nothing changes. Somebody whom Osler has not
        met cannot be put in, and then nobody is.
        """
        wanted = [*body.learners, *body.educators, *body.leave]
        if len(set(wanted)) < len(wanted):
            raise InvalidInput("Somebody stands there twice; say of each person one thing.", code="class.twice")
        asked = Change(learners=body.learners, educators=body.educators, leave=body.leave)
        async with here.db.write() as session:
            moved = await change_members(session, cohort_id, asked, scope.entry(is_allowed=True))
        for user_id in moved.moved:
            await here.answers.cache.bump(user_id)
        return MembersWritten(
            added=len(moved.added), changed=len(moved.changed), removed=len(moved.removed), same=len(moved.same)
        )

    return routes
