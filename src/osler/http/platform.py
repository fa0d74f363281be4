"""What a running process holds for its requests: settings, database, verifier, answers, rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from osler.db.engine import Database
from osler.errors import Unavailable
from osler.http.answers import Answers
from osler.http.auth import Verifier
from osler.http.rates import RateLimiter
from osler.settings import Settings


@dataclass(frozen=True, slots=True)
class Platform:
    """Made once in the application's lifespan; handed to requests through `app.state.platform`."""

    settings: Settings
    db: Database
    verifier: Verifier
    answers: Answers
    rates: RateLimiter


def platform_of(connection: HTTPConnection) -> Platform:
    """The platform of the process. Errors: Unavailable while it starts or stops."""
    found = getattr(connection.app.state, "platform", None)
    if found is None:
        raise Unavailable("The service is starting.", code="service.starting")
    return cast("Platform", found)
