"""What can be studied: topics, and exams with what they ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from osler.catalog import queries
from osler.errors import NotFound
from osler.http.deps import ReadDb
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadCatalog = Annotated[Scope, Depends(require(Action.READ_CATALOG))]
ItemId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["usmle-step-1"])]


class ExamOut(BaseModel):
    """One exam."""

    exam_id: str = Field(examples=["usmle-step-1"])
    name: str = Field(examples=["USMLE Step 1"])
    question_count: int = Field(description="scored questions", examples=[280])
    cut: float | None = Field(description="share of points that passes; null without a pass mark", examples=[0.6])
    cut_sd: float = Field(description="uncertainty of the cut", examples=[0.02])
    source: str | None = Field(description="where it was published", examples=["published content outline"])


class Exams(BaseModel):
    """All exams, by name."""

    exams: list[ExamOut]


class BlueprintRow(BaseModel):
    """What an exam asks of one topic."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    name: str = Field(examples=["Heart failure"])
    section: str = Field(examples=["Cardiovascular system"])
    exam_share: float = Field(description="share of the exam's points", examples=[0.08])
    share_low: float | None = Field(description="lower end of the published range", examples=[0.06])
    share_high: float | None = Field(description="upper end of the published range", examples=[0.1])
    provenance: str = Field(description="published or derived", examples=["published"])


class ExamDetail(ExamOut):
    """One exam with its blueprint."""

    blueprint: list[BlueprintRow]


class TopicOut(BaseModel):
    """One topic of the tree."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    parent_id: str | None = Field(examples=["cardiovascular"])
    name: str = Field(examples=["Heart failure"])
    level: int = Field(examples=[1])
    axis: str = Field(examples=["system"])
    board_exam_weight: float | None = Field(description="importance for the board exam, 0 to 10", examples=[8.0])
    weight_provenance: str = Field(examples=["derived"])


class Topics(BaseModel):
    """All topics."""

    topics: list[TopicOut]
    n: int = Field(examples=[250])


def router() -> APIRouter:
    """Routes of the catalogue."""
    routes = api_router("/api", "catalogue")

    @routes.get("/exams")
    async def exams(_: ReadCatalog, db: ReadDb) -> Exams:
        """All exams that can be prepared for."""
        return Exams(exams=[ExamOut.model_validate(row, from_attributes=True) for row in await queries.exam_list(db)])

    @routes.get("/exams/{exam_id}")
    async def exam(exam_id: ItemId, _: ReadCatalog, db: ReadDb) -> ExamDetail:
        """One exam with its blueprint."""
        row = await queries.exam(db, exam_id)
        if row is None:
            raise NotFound("There is nothing here.")
        return ExamDetail(**row, blueprint=[BlueprintRow(**asked) for asked in await queries.blueprint(db, exam_id)])

    @routes.get("/topics")
    async def topics(_: ReadCatalog, db: ReadDb) -> Topics:
        """The tree of topics, a topic after the one above it."""
        listed = [TopicOut.model_validate(row, from_attributes=True) for row in await queries.topic_list(db)]
        return Topics(topics=listed, n=len(listed))

    return routes
