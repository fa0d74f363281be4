"""Reads request bodies for the event endpoints and says who sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from osler.domain.outcomes import EventProblem
from osler.errors import OslerError
from osler.http.policy import Role
from osler.http.scope import Scope
from osler.ingest import strict_json
from osler.ingest.body import read_body
from osler.ingest.decoding import UnreadableBatch
from osler.ingest.limits import BODY_SECONDS, BatchTooLarge
from osler.ingest.work import Sender

ANY_LEARNER = "events:write:any"
CREATE_USERS = "users:create"


class BodyTooSlow(OslerError):
    """The body did not arrive in time."""

    status = 408
    default_code = "request.timeout"


async def body_of(request: Request) -> bytes:
    """The unpacked body. Errors: BatchTooLarge, BodyTooSlow, UnsupportedMedia, UnreadableBatch."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(_chunks(request), request.headers.get("content-encoding"))
    except TimeoutError:
        raise BodyTooSlow("The body did not arrive within 30 seconds.") from None
    except ClientDisconnect:
        raise UnreadableBatch("The body was cut off.", code="batch.cut_off") from None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except HTTPException as refused:
        if refused.status_code != 413:
            raise
        raise BatchTooLarge("The body is larger than the limit.") from None


async def object_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body, read strictly; an empty body is an empty object.

    Errors: as `body_of`, and UnreadableBatch for what is no JSON object.
    """
    raw = await body_of(request)
    try:
        value: Any = strict_json.parse(raw) if raw else {}
    except EventProblem as problem:
        raise UnreadableBatch(problem.code.text, code=problem.code.value) from None
    except (ValueError, RecursionError):
        raise UnreadableBatch("The body is not JSON in UTF-8.", code="json.encoding") from None
    if not isinstance(value, dict):
        raise UnreadableBatch("The body has to be a JSON object.", code="batch.envelope")
    return cast("dict[str, Any]", value)


def sender_of(scope: Scope) -> Sender:
    """What this caller may send. The token decides whose events they are; only some services name a learner."""
    principal, address = scope.principal, scope.address
    if Role.SERVICE_INGEST not in principal.roles:
        return Sender(principal.user_id, may_create=True, address=address)
    if ANY_LEARNER in principal.scopes:
        return Sender(None, is_service=True, may_create=CREATE_USERS in principal.scopes, address=address)
    return Sender(principal.user_id, is_service=True, may_create=True, address=address)
