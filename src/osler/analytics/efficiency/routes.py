"""`GET /api/analytics/efficiency`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from osler.analytics.efficiency.answer import answer
from osler.analytics.efficiency.queries import efficiency_of
from osler.analytics.efficiency.schemas import EfficiencyAnswer
from osler.db.engine import ReadSession
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
router: APIRouter = api_router("/api/analytics", "efficiency")


@router.get("/efficiency", response_model=EfficiencyAnswer)
async def efficiency(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """How much of the time at the desk is study, when it goes best, how long sessions are."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        return answer(await efficiency_of(s, scope.user_id, as_of))

    return await reply("efficiency", compute)
