"""`GET /api/analytics/plan`: today's one decision."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from osler.analytics.plan.answer import answer, card_list
from osler.analytics.plan.queries import listed_for, plan_of
from osler.analytics.plan.schemas import ListAnswer, PlanAnswer
from osler.db.engine import ReadSession
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
router: APIRouter = api_router("/api/analytics", "plan")


@router.get("/plan", response_model=PlanAnswer)
async def plan(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """What to study next, why, how sure that is, what else would do, and the week ahead."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        found, known = await plan_of(s, scope.user_id, as_of)
        return answer(found, scope.user_id, known)

    return await reply("plan", compute)


@router.get("/plan/cards", response_model=ListAnswer)
async def plan_cards(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Today's cards in the order of the review plan, each with its reason."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        return card_list(await listed_for(s, scope.user_id, as_of))

    return await reply("plan-cards", compute)
