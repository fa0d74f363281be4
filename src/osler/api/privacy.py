"""A person's rights over their data: take everything along, ask to be erased."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from osler.catalog import writes
from osler.http.deps import AsOf, Here, WriteDb
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router
from osler.privacy.export import exported

Export = Annotated[Scope, Depends(require(Action.EXPORT))]
Erase = Annotated[Scope, Depends(require(Action.ERASE))]
LINE = {"export": "osler", "form": 1, "taken_at": "2026-11-22T10:15:00Z"}


class ErasureRequested(BaseModel):
    """The request is on record; ingestion is closed for the learner from now on."""

    state: str = Field(examples=["requested"])


def router() -> APIRouter:
    """Routes of a person's rights."""
    routes = api_router("/api/me", "privacy")

    @routes.get(
        "/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {"example": LINE}}, "description": "one object a line"}},
    )
    async def export(scope: Export, here: Here, as_of: AsOf) -> StreamingResponse:
        """Everything stored of the learner: events as they were sent, then settings, consent and derived rows.

        A privacy officer who exports for somebody else leaves an audit entry before the first byte.
        """
        async with scope.read():
            pass
        lines = exported(here.db, scope.user_id, as_of)
        headers = {"Content-Disposition": 'attachment; filename="osler-export.jsonl"', "Cache-Control": "no-store"}
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)

    @routes.post("/erasure", status_code=202)
    async def erasure(scope: Erase, here: Here, db: WriteDb) -> ErasureRequested:
        """Ask to be erased. Nothing is collected from this moment; `osler erase --requested` carries it out."""
        await writes.request_erasure(db, scope.user_id)
        await here.changed(db, scope.user_id)
        return ErasureRequested(state="requested")

    return routes
