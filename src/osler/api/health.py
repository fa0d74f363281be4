"""Is the process alive, and can it serve: liveness never touches the database, readiness does, once a second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from osler import clock
from osler.db.faults import as_unavailable
from osler.errors import Unavailable
from osler.http.platform import Platform, platform_of
from osler.http.scope import PUBLIC
from osler.http.strict import api_router

PROBE_SECONDS = 2.0


class Health(BaseModel):
    """Whether the service lives or can serve."""

    status: str = Field(description="`live` or `ready`", examples=["ready"])


@dataclass(slots=True)
class Readiness:
    """The last answer to "can it serve?", kept for a second so that probes are no load."""

    at: float = -1e9
    is_ready: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def check(self, platform: Platform) -> bool:
        """Ask the database unless it was asked less than a second ago; probes at once share one question."""
        async with self.asking:
            if clock.monotonic_seconds() - self.at >= platform.settings.health_cache_seconds:
                self.is_ready = await _answers(platform)
                self.at = clock.monotonic_seconds()
            return self.is_ready


async def _answers(platform: Platform) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS), platform.db.read(primary=True) as session:
            return await session.scalar(sa.text("select true")) is True
    except Exception as error:
        if not isinstance(error, Unavailable) and as_unavailable(error) is None:
            raise
        return False


def router() -> APIRouter:
    """Routes of health."""
    routes = api_router("/api/health", "health")
    readiness = Readiness()

    @routes.get("/live", dependencies=[PUBLIC])
    async def live() -> Health:
        """The process answers. Never asks the database: a restart would not mend that."""
        return Health(status="live")

    @routes.get("/ready", dependencies=[PUBLIC])
    async def ready(request: Request) -> Health:
        """The process and its database answer; 503 when not."""
        if not await readiness.check(platform_of(request)):
            raise Unavailable("The database does not answer.", code="not_ready")
        return Health(status="ready")

    return routes
