"""Batches, single events, limits and receipts: the general way in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from osler.domain.outcomes import EventProblem
from osler.errors import InvalidInput
from osler.eventlog.lookups import receipt
from osler.http.deps import Here
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.straight import straight
from osler.http.strict import api_router
from osler.ingest import careful, decoding
from osler.ingest.decoding import Read, UnreadableBatch
from osler.ingest.limits import MAX_EVENTS, RECEIPT_MAX_DAYS, BatchTooLarge, limits_document
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.routes import documents as doc
from osler.ingest.routes.answers import batch_answer, single_answer
from osler.ingest.routes.bodies import body_of, object_of, sender_of
from osler.ingest.routes.hooks import Hooks
from osler.ingest.wire import Envelope
from osler.observe import metrics

Writer = Annotated[Scope, Depends(require(Action.WRITE_EVENTS))]
FAILURES = (400, 403, 408, 413, 415, 429, 503)


class Receipt(BaseModel):
    """What is stored of a learner in a window of event time."""

    count: int = Field(examples=[500], description="events stored")
    sha256: str = Field(examples=["9f86d081884c7d65…"], description="SHA-256 over the sorted ids, a newline after each")


def router(hooks: Hooks) -> APIRouter:
    """Routes of the general way in."""
    routes = api_router("/api/events", "events")

    @routes.post("/batch", openapi_extra=doc.batch_body(), responses=doc.answers(doc.EXAMPLE_BATCH_ANSWER, *FAILURES))
    @straight
    async def batch(
        request: Request,
        scope: Writer,
        here: Here,
        atomic: Annotated[bool, Query(description="store all or nothing", examples=[False])] = False,
    ) -> Response:
        """Send 1 to 1,000 events; each gets its own answer, and one bad event never sinks the others."""
        decoded = decoding.decode(await body_of(request))
        check_size(decoded.events)
        count_dropped(decoded.envelope)
        taken = await ingestion_of(here.db).take(
            decoded.events, decoded.envelope, sender_of(scope), columns=decoded.columns, atomic=atomic
        )
        wake(hooks, taken)
        return batch_answer(taken)

    @routes.post(
        "", openapi_extra=doc.body_of(doc.event_schema(), doc.EXAMPLE_EVENT),
        responses=doc.answers(doc.EXAMPLE_ANSWER, 200, 409, 422, *FAILURES, ok=201),
    )  # fmt: skip
    async def single(request: Request, scope: Writer, here: Here) -> Response:
        """Send one event; `sent_at` may stand beside its fields."""
        event = await object_of(request)
        envelope = Envelope(sent_at=_sent_at(event), events=[])
        taken = await ingestion_of(here.db).take([read(event)], envelope, sender_of(scope))
        wake(hooks, taken)
        return single_answer(request, taken.outcomes[0])

    @routes.get("/limits", responses=doc.answers(limits_document(server_time=doc.EXAMPLE_TIME, retention_months=24)))
    async def limits(_: Annotated[Scope, Depends(require(Action.READ_LIMITS))], here: Here) -> dict[str, Any]:
        """Every limit, clock bound and accepted schema version, and the server's time."""
        now = await here.db.now()
        return limits_document(server_time=now.isoformat(), retention_months=here.settings.retention_months)

    @routes.get("/receipt")
    async def event_receipt(
        scope: Annotated[Scope, Depends(require(Action.READ_RECEIPT))],
        low: Annotated[AwareDatetime, Query(alias="from", examples=["2026-11-21T00:00:00Z"])],
        high: Annotated[AwareDatetime, Query(alias="to", examples=["2026-11-22T00:00:00Z"])],
    ) -> Receipt:
        """Count and digest of the caller's own events in a window, so that a client proves nothing is missing."""
        check_window(low, high)
        async with scope.read() as session:
            count, digest = await receipt(session.driver(), scope.principal.user_id, low, high)
        return Receipt(count=count, sha256=digest)

    return routes


def read(event: dict[str, Any]) -> Read:
    """One decoded event, or what is wrong with it."""
    try:
        return careful.check(event)
    except EventProblem as problem:
        return problem


def check_size(events: Sequence[Read]) -> None:
    """1 to 1,000 events. Errors: UnreadableBatch for none, BatchTooLarge for more."""
    if not events:
        raise UnreadableBatch("A batch holds at least one event.", code="batch.empty")
    if len(events) > MAX_EVENTS:
        raise BatchTooLarge("A batch may hold 1,000 events.", code="batch.too_many")


def check_window(low: datetime, high: datetime) -> None:
    """A receipt's window. Errors: InvalidInput when it is empty or too wide."""
    if not low < high <= low + timedelta(days=RECEIPT_MAX_DAYS):
        msg = f"`from` has to lie before `to`, by {RECEIPT_MAX_DAYS} days at most."
        raise InvalidInput(msg, code="receipt.window")


def count_dropped(envelope: Envelope) -> None:
    """Count what the client says it had to throw away."""
    for event_type, count in (envelope.dropped or {}).items():
        metrics.count_client_dropped(event_type, count)


def wake(hooks: Hooks, taken: Taken) -> None:
    """Let the learners of what was stored be folded, after the answer."""
    for user_id in set(taken.accepted.rows.user_id):
        hooks.wake(_as_uuid(user_id))


@lru_cache(maxsize=50_000)
def _as_uuid(user_id: str) -> UUID:
    """Who sends once sends again soon, and a batch may hold two hundred."""
    return UUID(user_id)


def _sent_at(event: dict[str, Any]) -> str:
    sent_at = event.pop("sent_at", None)
    if sent_at is not None and not isinstance(sent_at, str):
        raise UnreadableBatch("sent_at must be a time with an offset.", code="time.unparseable")
    return sent_at or ""
