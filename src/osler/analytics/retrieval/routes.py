"""`/api/analytics/retrieval`: what is remembered, what is due, how it fades."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from osler.analytics.retrieval import pages
from osler.analytics.retrieval.answer import Ground, calendar_answer, overview_answer, topic_answer
from osler.analytics.retrieval.queries import items_of_topics, parameters_of
from osler.analytics.retrieval.schemas import CalendarAnswer, RetrievalAnswer, TopicRecallAnswer
from osler.catalog.snapshot import Catalogue
from osler.db.session import ReadSession
from osler.errors import NotFound
from osler.forecasts.parameters import ParameterStore
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
TopicId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["renal.acid-base"])]

router: APIRouter = api_router("/api/analytics/retrieval", "retrieval")
_parameters = ParameterStore()


def _ground(found: dict[str, Any], known: Catalogue) -> Ground:
    exam: dict[str, Any] = found["exam"] or {}
    return Ground(known, known.exam_or_default(exam.get("exam_id")))


@router.get("", response_model=RetrievalAnswer)
async def retrieval(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Every topic's retrieval strength, what is due, topics that need a look, retention by week."""

    async def compute(session: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, known = await pages.overview(session, scope.user_id, as_of)
        return overview_answer(found, _ground(found, known), as_of)

    return await reply("retrieval", compute)


@router.get("/calendar", response_model=CalendarAnswer)
async def review_calendar(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Reviews done in the last 90 days and due in the next 90, by local day."""

    async def compute(session: ReadSession, as_of: datetime) -> dict[str, Any]:
        return calendar_answer(await pages.calendar(session, scope.user_id, as_of), as_of)

    return await reply("retrieval.calendar", compute)


@router.get("/{topic_id}", response_model=TopicRecallAnswer)
async def retrieval_of_topic(topic_id: TopicId, scope: ReadAnalytics, reply: CachedReply) -> Response:
    """The forgetting curve of one topic with its band, beside what was observed."""

    async def compute(session: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, known = await pages.topic(session, scope.user_id, as_of, topic_id)
        on = _ground(found, known)
        if found["row"] is None and topic_id not in on.catalogue.topics:
            raise NotFound("There is no such topic.", code="topic.unknown")
        if found["row"] is not None:
            parameters = await _parameters.get(session, found["version"])
            found["easiness"], found["skill_variance"] = parameters.of_topic(topic_id), parameters.irt.skill_variance
        mine = await parameters_of(session, scope.user_id)
        items = (await items_of_topics(session, scope.user_id, [topic_id], mine)).get(topic_id, [])
        return topic_answer(topic_id, found, items, on, as_of)

    return await reply("retrieval.topic", compute, variant=topic_id)
