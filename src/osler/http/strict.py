"""How a body becomes a value: strict UTF-8 JSON or a 400, before any model sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from osler.http.refusals import refusals


class StrictRequest(Request):
    """A request whose JSON must be JSON: no byte-order mark, UTF-16, NaN, overflow, lone surrogate, key said twice."""

    async def json(self) -> Any:  # Any: what JSON holds
        """The decoded body. Errors: HTTPException 400, without a word of the body."""
        try:
            body = await self.body()
            _DECODER.decode(body.decode())
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise HTTPException(400) from error


def _once(pairs: list[tuple[str, object]]) -> None:
    """Parsers disagree about which of two equal keys counts. What stands under them does not matter here."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is said twice")


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


class StrictRoute(APIRoute):
    """A route that reads its body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


# What any route may answer instead of what was asked for.
PROBLEMS = {
    400: "cannot be read", 401: "no or bad token", 403: "not allowed", 404: "not found", 406: "only JSON is served",
    422: "does not fit: `detail` and `errors` name what and where", 429: "too often: wait as Retry-After says",
    503: "try again",
}  # fmt: skip


def api_router(prefix: str, tag: str) -> APIRouter:
    """A router whose routes read strictly and answer problems; every feature makes its own with it."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=StrictRoute, responses=refusals(PROBLEMS))
