"""`/api/analytics/mastery`: every topic, and one topic in full."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from osler.analytics.mastery import queries
from osler.analytics.mastery.answer import Ground, overview_answer, topic_answer
from osler.analytics.mastery.evaluation import trend_of_firsts
from osler.analytics.mastery.schemas import MasteryAnswer, TopicAnswer
from osler.analytics.retrieval.attempts import median_of
from osler.db.session import ReadSession
from osler.errors import NotFound
from osler.forecasts.parameters import ParameterStore
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
TopicId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["cardiovascular.failure"])]

router: APIRouter = api_router("/api/analytics/mastery", "mastery")
_parameters = ParameterStore()


@router.get("", response_model=MasteryAnswer)
async def mastery(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Every topic that the learner has touched, with mastery, its interval, n and trend; groups for the radar."""

    async def compute(session: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, known = await queries.overview(session, scope.user_id, as_of)
        on = Ground(known, known.exam_or_default(found["exam_id"]), found["desired_retention"])
        return overview_answer(found, on, as_of)

    return await reply("mastery", compute)


@router.get("/{topic_id}", response_model=TopicAnswer)
async def mastery_of_topic(topic_id: TopicId, scope: ReadAnalytics, reply: CachedReply) -> Response:
    """One topic: mastery over time, trend, time to mastery, what the brief's score is made of."""

    async def compute(session: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, known = await queries.detail(session, scope.user_id, as_of, topic_id)
        if found["row"] is None and topic_id not in known.topics:
            raise NotFound("There is no such topic.", code="topic.unknown")
        plan: dict[str, Any] = found["setup"] or {}
        on = Ground(known, known.exam_or_default(plan.get("exam_id")), found["desired_retention"])
        found["seconds_per_attempt"] = median_of(found["pace"] or {})
        now = await _parameters.get(session, found["current_version"])
        encoding = now.encoding(scope.user_id)
        trend = trend_of_firsts(found["firsts"], topic_id, found["level_before"], now, encoding)
        if found["row"] is not None:
            parameters = await _parameters.get(session, found["version"])
            row = found["row"]
            row["rate"] = parameters.rates.of(topic_id)
            row["level"] = parameters.of_topic(topic_id) + row["ability_mean"] + row["skill_mean"]
        return topic_answer(topic_id, found, trend, on, as_of)

    return await reply("mastery.topic", compute, variant=topic_id)
