"""The straight way of a request that comes often: no route is looked for, no parameters are solved.

An endpoint that is marked is reached by its method and its whole path, where no query asks for more. One part of the
path may be a parameter, whose declared pattern it fits. The policy is asked as on the long way, by the very object that
the route declares; whatever has a query, or a parameter that does not fit, goes the long way.
"""

from __future__ import annotations

import re
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
    """A route, its policy, and its endpoint: called with `request`, `scope`, `here` and the path's parameter alone."""

    route: APIRoute
    policy: Require
    endpoint: Callable[..., Awaitable[Response]]


class _Named(NamedTuple):
    """A way with a parameter in its path: what stands before and after it, its name and its pattern."""

    method: str
    before: str
    after: str
    name: str
    pattern: re.Pattern[str]
    way: _Way

    def value_in(self, method: str, path: str) -> str | None:
        """The parameter's value where this is the way; None where it is not, or the value does not fit."""
        if method != self.method or not (path.startswith(self.before) and path.endswith(self.after)):
            return None
        value = path[len(self.before) : len(path) - len(self.after)]
        return value if self.pattern.fullmatch(value) else None


def straight(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that takes `request`, `scope` and `here`; beside a text in its path all others have defaults."""
    setattr(endpoint, _MARK, True)
    return endpoint


class Straight:
    """ASGI middleware, next to the routes."""

    def __init__(self, app: ASGIApp, routes: Iterable[APIRoute]) -> None:
        self._app = app
        self._ways: dict[tuple[str, str], _Way] = {}
        self._named: list[_Named] = []
        for route in routes:
            if getattr(route.endpoint, _MARK, False):
                self._add(route, _Way(route, _policy_of(route), route.endpoint))

    def _add(self, route: APIRoute, way: _Way) -> None:
        for method in route.methods or ():
            if not route.dependant.path_params:
                self._ways[method, route.path] = way
                continue
            name, pattern = _parameter_of(route)
            before, after = route.path.split(f"{{{name}}}")
            self._named.append(_Named(method, before, after, name, pattern, way))

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Call the endpoint, or let the routes answer."""
        way, named = self._find(scope) if scope["type"] == "http" and not scope["query_string"] else (None, {})
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = way.route
        request = Request(scope, receive)
        caller = await way.policy(request, await bearer(request))
        response = await way.endpoint(request=request, scope=caller, here=platform_of(request), **named)
        await response(scope, receive, send)

    def _find(self, scope: AsgiScope) -> tuple[_Way | None, dict[str, str]]:
        method, path = scope["method"], scope["path"]
        way = self._ways.get((method, path))
        if way is None:
            for each in self._named:
                if (value := each.value_in(method, path)) is not None:
                    return each.way, {each.name: value}
        return way, {}


def _policy_of(route: APIRoute) -> Require:
    """The one policy of a route. Errors: TypeError when it does not have one."""
    found = [each.call for each in route.dependant.dependencies if isinstance(each.call, Require)]
    if len(found) != 1:
        msg = f"{route.path} cannot be reached straight: it has no policy, or several"
        raise TypeError(msg)
    return found[0]


def _parameter_of(route: APIRoute) -> tuple[str, re.Pattern[str]]:
    """The one parameter in a route's path, and its pattern. Errors: TypeError where it is not a text with a pattern."""
    parameters = route.dependant.path_params
    patterns = [rule.pattern for each in parameters for rule in each.field_info.metadata if hasattr(rule, "pattern")]
    if len(parameters) != 1 or len(patterns) != 1 or parameters[0].field_info.annotation is not str:
        msg = f"{route.path} cannot be reached straight: its path is not one text with a pattern"
        raise TypeError(msg)
    return parameters[0].alias, re.compile(patterns[0], re.ASCII)
