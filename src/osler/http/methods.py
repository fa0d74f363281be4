"""Which methods does an address take? What a 405 names: every one of them, not those of the first route alone."""

from __future__ import annotations

from fastapi import Request
from starlette.routing import Match

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
EVERY_ADDRESS = "/{path:path}"
"""Where the page stands: at every address, so that it says nothing about any."""


def methods_at(request: Request) -> list[str]:
    """The methods that routes take at the request's address, in order of their names."""
    routes = [route for route in request.app.routes if getattr(route, "path", None) != EVERY_ADDRESS]
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
