"""A person's rights over their data: take everything along, ask to be erased."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from osler.catalog import writes
from osler.errors import NotFound
from osler.http.audit import AuditEntry, record
from osler.http.deps import AsOf, Here, WriteDb
from osler.http.platform import Platform
from osler.http.policy import Action
from osler.http.problems import request_id_of
from osler.http.scope import PUBLIC, Scope, require
from osler.http.strict import api_router
from osler.privacy.archive import archive
from osler.privacy.export import Export
from osler.privacy.export_links import make_link, open_link

MayExport = Annotated[Scope, Depends(require(Action.EXPORT))]
MayErase = Annotated[Scope, Depends(require(Action.ERASE))]
Form = Annotated[
    Literal["zip", "jsonl"],
    Query(description="`zip`: a page that explains, CSV, and the lines; `jsonl`: the lines alone", examples=["zip"]),
]
EXAMPLE = "Zc8m0sWkq1l5oG9yT3fHnR2bXv7uJdAeLiKpQwEtYxM"
Secret = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{20,64}$", examples=[EXAMPLE])]
LINE = {"export": "osler", "form": 2, "taken_at": "2026-11-22T10:15:00Z"}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a zip; or one JSON object a line",
        "content": {
            "application/zip": {"schema": {"type": "string", "format": "binary"}, "example": "PK…"},
            "application/x-ndjson": {"schema": {"type": "string"}, "example": LINE},
        },
    }
}


class ErasureRequested(BaseModel):
    """The request is on record; ingestion is closed for the learner from now on."""

    state: str = Field(examples=["requested"])


class ExportLink(BaseModel):
    """A link that gives the export once."""

    url: str = Field(
        description="path on this server; opening it needs no token",
        examples=[f"/api/me/export/{EXAMPLE}"],
    )
    expires_at: datetime = Field(description="worth nothing from then on", examples=["2026-11-23T10:15:00Z"])


def router() -> APIRouter:
    """Routes of a person's rights."""
    routes = api_router("/api/me", "privacy")

    @routes.get("/export", response_class=StreamingResponse, responses=FILES)
    async def export(scope: MayExport, here: Here, as_of: AsOf, form: Form = "zip") -> StreamingResponse:
        """Everything stored of the learner: events as sent, settings, consent, derived figures, forecasts.

        An audit entry is left before the first byte.
        """
        async with here.db.write(user_id=scope.user_id) as session:
            await record(session, replace(scope.entry(is_allowed=True), fields=("export",)))
        return _streamed(here, scope.user_id, as_of, form)

    @routes.post("/export", status_code=201)
    async def link(scope: MayExport, here: Here, response: Response) -> ExportLink:
        """Make a link to the export: good once, within 24 hours, for a browser that cannot send a token."""
        async with here.db.write(user_id=scope.user_id) as session:
            await record(session, replace(scope.entry(is_allowed=True), fields=("export_link",)))
            secret, expires_at = await make_link(session, here.settings, scope.user_id)
        url = f"/api/me/export/{secret}"
        response.headers["Location"] = url
        return ExportLink(url=url, expires_at=expires_at)

    @routes.get("/export/{link}", dependencies=[PUBLIC], response_class=StreamingResponse, responses=FILES)
    async def linked(request: Request, link: Secret, here: Here, as_of: AsOf, form: Form = "zip") -> StreamingResponse:
        """The export that a link stands for; the link is worth nothing afterwards."""
        await here.rates.check(None, request.scope)
        async with here.db.write() as session:
            opened = await open_link(session, here.settings, link)
            if opened is not None:
                await record(session, _by_link(opened.user_id, is_allowed=opened.is_good, request=request))
        if opened is None or not opened.is_good:
            raise NotFound("This link was used, or its day is over. Ask for another.", code="export.link")
        return _streamed(here, opened.user_id, as_of, form)

    @routes.post("/erasure", status_code=202)
    async def erasure(scope: MayErase, here: Here, db: WriteDb) -> ErasureRequested:
        """Ask to be erased. Nothing is collected from this moment; `osler erase --requested` carries it out."""
        await writes.request_erasure(db, scope.user_id)
        await here.changed(db, scope.user_id)
        return ErasureRequested(state="requested")

    return routes


def _streamed(here: Platform, user_id: UUID, at: datetime, form: str) -> StreamingResponse:
    export = Export(here.db, user_id, at)
    source: AsyncGenerator[bytes] = archive(export, user_id) if form == "zip" else export.lines(with_derived=True)
    media = "application/zip" if form == "zip" else "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="osler-export.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(source, media_type=media, headers=headers)


def _by_link(user_id: UUID, *, is_allowed: bool, request: Request) -> AuditEntry:
    return AuditEntry(
        actor_id=None,
        role="link",
        action=Action.EXPORT,
        purpose="export",
        subject_id=user_id,
        fields=("export",),
        is_allowed=is_allowed,
        request_id=request_id_of(request.scope),
    )
