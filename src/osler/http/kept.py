"""The short way of a read: an answer that is kept goes out as the bytes that lie there, before any route is looked for.

A route that has answered once leaves under which name its answer to that path and query is kept, and behind which
action. Token, policy, rate and generation are asked every time, by the functions that the long way asks; whatever is
not plainly allowed goes the long way, which alone refuses.
"""

from __future__ import annotations

from typing import cast

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from osler.errors import TooMany
from osler.http.answers import LOOKED_UP, response_of
from osler.http.auth import Principal
from osler.http.cache.entry import Key
from osler.http.platform import Platform
from osler.http.policy import Reach, has_scope, reach_of

BEARER = b"bearer "


class Kept:
    """ASGI middleware, next to the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or let the routes answer."""
        short = await _kept(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (self._app if short is None else short)(scope, receive, send)


async def _kept(scope: Scope) -> Response | None:
    platform = cast("Platform | None", getattr(scope["app"].state, "platform", None))
    asked = None if platform is None else platform.answers.asked.get((scope["path"], scope["query_string"]))
    if platform is None or asked is None:
        return None
    caller = _caller(platform, scope)
    if caller is None or reach_of(caller.roles, asked.action) is Reach.NONE:
        return None
    if not has_scope(caller.scopes, asked.action):
        return None
    found = await platform.answers.cache.get(Key(caller.user_id, asked.name, asked.variant))
    if found[1] is None:
        scope.setdefault("state", {})[LOOKED_UP] = found
        return None
    try:
        await platform.rates.check(caller.user_id, scope)
    except TooMany:
        return None  # counted once more on the long way, past the limit anyway
    platform.seen(caller.user_id, scope)
    scope["route"] = asked.route
    sent = _header(scope, b"if-none-match")
    return response_of(found[1], "hit", None if sent is None else sent.decode("latin-1"))


def _caller(platform: Platform, scope: Scope) -> Principal | None:
    """Who sends a token that was verified a moment ago; None where it has to be verified, or there is none."""
    sent = _header(scope, b"authorization")
    if sent is None or sent[: len(BEARER)].lower() != BEARER:
        return None
    return platform.verifier.remembered(sent[len(BEARER) :].strip().decode("latin-1"))


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
