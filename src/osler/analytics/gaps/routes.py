"""`GET /api/analytics/knowledge-gaps` and its graph."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from osler.analytics.gaps.answer import LISTED, answer, graph_answer
from osler.analytics.gaps.queries import gaps_of, graph_of
from osler.analytics.gaps.schemas import GapsAnswer, GraphAnswer
from osler.db.engine import ReadSession
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]
State = Literal["weak", "open", "insufficient_data", "unseen", "closed"]
States = Annotated[
    list[State] | None,
    Query(description="only gaps in these states; by default those with answers that are open", examples=[["weak"]]),
]
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many, first in rank", examples=[20])]
router: APIRouter = api_router("/api/analytics", "gaps")


@router.get("/knowledge-gaps", response_model=GapsAnswer)
async def knowledge_gaps(scope: ReadAnalytics, reply: CachedReply, state: States = None, limit: Limit = 10) -> Response:
    """What is missing, how much it matters, what it costs, and in which order to mend it."""
    states: list[str] = sorted(set(state or LISTED))

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        return answer(*await gaps_of(s, scope.user_id, as_of, states=states, limit=limit))

    return await reply("gaps", compute, variant=f"{','.join(states)}:{limit}")


@router.get("/knowledge-gaps/graph", response_model=GraphAnswer)
async def gap_graph(scope: ReadAnalytics, reply: CachedReply) -> Response:
    """Which topics stand on which, and the weakest chain."""

    async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
        return graph_answer(*await graph_of(s, scope.user_id, as_of))

    return await reply("gaps.graph", compute)
