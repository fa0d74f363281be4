"""The bank of questions and materials, kept in step with the application that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from osler.catalog.bank import MOST_ROWS, put_materials, put_questions
from osler.domain.outcomes import Status
from osler.domain.privacy_gate import looks_personal
from osler.eventlog.marks import mark_items
from osler.http.deps import Here
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router
from osler.ingest.regrade import LONGEST_SECONDS, regrade

WriteCatalog = Annotated[Scope, Depends(require(Action.WRITE_CATALOG))]
MOST_TOPICS = 20
MATERIAL_KINDS = r"^(text|video|audio|image|case|slides)$"


def _of_nobody(item_id: str) -> str:
    if looks_personal(item_id):
        raise ValueError
    return item_id


def _sorted(values: list[str]) -> list[str]:
    return sorted(set(values))


ItemId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"), AfterValidator(_of_nobody)]
OptionKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,8}$")]
TopicId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")]
TopicIds = Annotated[list[TopicId], Field(max_length=MOST_TOPICS), AfterValidator(_sorted)]


class Strict(BaseModel):
    """A body that takes the fields it names and no others."""

    model_config = ConfigDict(extra="forbid")


class QuestionIn(Strict):
    """One question: what it is about and what is right; never its words."""

    question_id: ItemId = Field(examples=["q-4711"])
    topic_ids: TopicIds = Field(description="topics of the tree, see /api/topics", examples=[["cardiovascular"]])
    key: Annotated[list[OptionKey], Field(max_length=10), AfterValidator(_sorted)] | None = Field(
        default=None, description="right option keys; null where the sender grades", examples=[["A"]]
    )
    option_count: int | None = Field(default=None, ge=2, le=26, description="answers to choose from", examples=[5])
    source: str | None = Field(default=None, max_length=100, description="name of the bank", examples=["own bank"])


class QuestionsIn(Strict):
    """Questions to add or change; others stay as they are."""

    questions: list[QuestionIn] = Field(min_length=1, max_length=MOST_ROWS)


class MaterialIn(Strict):
    """One material: what it is about; never its words."""

    material_id: ItemId = Field(examples=["m-12"])
    kind: str = Field(pattern=MATERIAL_KINDS, examples=["text"])
    topic_ids: TopicIds = Field(description="topics of the tree, see /api/topics", examples=[["cardiovascular"]])
    expected_minutes: float | None = Field(default=None, gt=0, le=1440, allow_inf_nan=False, examples=[20.0])
    is_required: bool = Field(default=False, description="required by the curriculum", examples=[True])
    title: str | None = Field(default=None, max_length=200, description="shown as text", examples=["Heart failure"])


class MaterialsIn(Strict):
    """Materials to add or change; others stay as they are."""

    materials: list[MaterialIn] = Field(min_length=1, max_length=MOST_ROWS)


class Written(BaseModel):
    """What was done."""

    new: int = Field(description="rows that were not there", examples=[2])
    changed: int = Field(description="rows that say something else now", examples=[1])
    same: int = Field(description="rows that were so already", examples=[0])


class QuestionsWritten(Written):
    """What was done, and how many answers are judged otherwise now."""

    regraded: int = Field(description="answers that got a new grade", examples=[12])


def router() -> APIRouter:
    """Routes of the bank."""
    routes = api_router("/api", "catalogue")

    @routes.post("/questions")
    async def questions(body: QuestionsIn, _: WriteCatalog, here: Here) -> QuestionsWritten:
        """Add or change up to 1,000 questions. A corrected key grades the answers there are anew.

        Answers to a question that nobody knew get their grade and topics when it comes. Sent again, nothing changes.
        """
        rows = [each.model_dump() for each in body.questions]
        async with here.db.write(statement_timeout_seconds=LONGEST_SECONDS) as session:
            put = await put_questions(session, rows)
            await mark_items(session, questions=(*put.new, *put.changed))
        graded = await regrade(here.db, *_keyed(body.questions))
        regraded = graded.counts[Status.ACCEPTED]
        return QuestionsWritten(new=len(put.new), changed=len(put.changed), same=put.n_same, regraded=regraded)

    @routes.post("/materials")
    async def materials(body: MaterialsIn, _: WriteCatalog, here: Here) -> Written:
        """Add or change up to 1,000 materials. What was read of one that nobody knew counts from then on."""
        async with here.db.write(statement_timeout_seconds=LONGEST_SECONDS) as session:
            put = await put_materials(session, [each.model_dump() for each in body.materials])
            await mark_items(session, materials=(*put.new, *put.changed))
        return Written(new=len(put.new), changed=len(put.changed), same=put.n_same)

    return routes


# All with a key, not only those whose key has changed: a call that died between its two transactions is made whole
# by the same call again.
def _keyed(questions: Sequence[QuestionIn]) -> list[str]:
    return [each.question_id for each in questions if each.key is not None]
