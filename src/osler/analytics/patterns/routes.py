"""`GET /api/analytics/study-patterns`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from osler.analytics.patterns.answer import answer
from osler.analytics.patterns.queries import patterns_of
from osler.analytics.patterns.schemas import PatternsAnswer
from osler.db.engine import ReadSession
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
router: APIRouter = api_router("/api/analytics", "patterns")


@router.get("/study-patterns", response_model=PatternsAnswer)
async def study_patterns(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """When, how long and how the learner studies, and which habits go with right answers."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        return answer(await patterns_of(s, scope.user_id, as_of))

    return await reply("patterns", compute)
