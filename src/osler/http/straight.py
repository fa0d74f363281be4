"""The straight way of a request that comes often: no route is looked for, no parameters are solved.

An endpoint that is marked is reached by its method and its whole path, where no query asks for more. Its policy is
asked as on the long way, by the very object that the route declares; whatever has a query goes the long way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from osler.http.platform import platform_of
from osler.http.scope import Require, bearer

_MARK = "goes_straight"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class _Way(NamedTuple):
    """A route, its policy, and its endpoint: called with `request`, `scope` and `here` alone."""

    route: APIRoute
    policy: Require
    endpoint: Callable[..., Awaitable[Response]]


def straight(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that takes `request`, `scope` and `here`, and whose other parameters have defaults."""
    setattr(endpoint, _MARK, True)
    return endpoint


class Straight:
    """ASGI middleware, next to the routes."""

    def __init__(self, app: ASGIApp, routes: Iterable[APIRoute]) -> None:
        self._app = app
        self._ways = {
            (method, route.path): _Way(route, _policy_of(route), route.endpoint)
            for route in routes
            if getattr(route.endpoint, _MARK, False)
            for method in route.methods or ()
        }

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Call the endpoint, or let the routes answer."""
        way = None
        if scope["type"] == "http" and not scope["query_string"]:
            way = self._ways.get((scope["method"], scope["path"]))
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = way.route
        request = Request(scope, receive)
        caller = await way.policy(request, await bearer(request))
        response = await way.endpoint(request=request, scope=caller, here=platform_of(request))
        await response(scope, receive, send)


def _policy_of(route: APIRoute) -> Require:
    """The one policy of a route. Errors: TypeError when it does not have one."""
    found = [each.call for each in route.dependant.dependencies if isinstance(each.call, Require)]
    if len(found) != 1:
        msg = f"{route.path} cannot be reached straight: it has no policy, or several"
        raise TypeError(msg)
    return found[0]
