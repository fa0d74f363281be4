"""`/api/analytics/exam-readiness`: the forecast, what another plan would change, how an exam went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy.dialects import postgresql as pg
from starlette.responses import Response

from osler.analytics.readiness.answer import answer, standing, what_if_answer
from osler.analytics.readiness.queries import readiness_of
from osler.analytics.readiness.schemas import OutcomeIn, OutcomeOut, ReadinessAnswer, WhatIfAnswer, WhatIfQuestion
from osler.analytics.readiness.tables import exam_outcomes
from osler.catalog.snapshot import catalogue
from osler.db.engine import ReadSession
from osler.errors import InvalidInput, NotFound
from osler.http.answers import encoded
from osler.http.deps import AsOf, CachedReply, ReadDb, WriteDb
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
WriteSelf = Annotated[Scope, Depends(require(Action.WRITE_SELF))]
router: APIRouter = api_router("/api/analytics/exam-readiness", "readiness")


@router.get("", response_model=ReadinessAnswer)
async def exam_readiness(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Would today's knowledge pass: score, chance, coverage, weak sections, days until ready; each with its range."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, on = await readiness_of(s, scope.user_id, as_of)
        return answer(found, standing(found, scope.user_id, as_of, on, s.home), on)

    return await reply("readiness", compute)


@router.post("/what-if", response_model=WhatIfAnswer)
async def exam_readiness_what_if(question: WhatIfQuestion, scope: ReadAnalytics, db: ReadDb, as_of: AsOf) -> Response:
    """What other minutes, other topics or another date would change by the exam day: a model estimate."""
    found, on = await readiness_of(db, scope.user_id, as_of)
    where = standing(found, scope.user_id, as_of, on, db.home)
    made = what_if_answer(
        where, minutes=question.minutes_per_day, exam_on=question.exam_on, topic_ids=question.topic_ids
    )
    return Response(encoded(made), media_type="application/json")


@router.post("/outcomes", status_code=201)
async def exam_outcome(outcome: OutcomeIn, scope: WriteSelf, db: WriteDb, as_of: AsOf) -> OutcomeOut:
    """Record how an exam went; the same exam and day again corrects it."""
    # A day of grace: somewhere it is tomorrow already.
    if outcome.exam_on > as_of.date() + timedelta(days=1):
        raise InvalidInput("That exam has not been sat yet; its day lies ahead.", code="outcome.ahead")
    if outcome.score is None and outcome.passed is None:
        raise InvalidInput("Say the score, or whether the exam was passed.", code="outcome.empty")
    if outcome.exam_id not in (await catalogue(db)).exams:
        raise NotFound("There is no such exam.", code="exam.unknown")
    source = "learner" if scope.is_own else "institution"
    row = {**outcome.model_dump(), "user_id": scope.user_id, "source": source}
    insert = pg.insert(exam_outcomes).values(row)
    newer = {name: insert.excluded[name] for name in ("score", "passed", "source")}
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "exam_id", "exam_on"], set_=newer))
    return OutcomeOut(**outcome.model_dump(), source=source)
