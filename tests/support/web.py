"""A running application for tests: the real app on the real database, asked in process, with real tokens."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from fastapi import FastAPI

from osler import clock
from osler.api.app import create_app
from osler.http.auth import open_local_issuer
from osler.http.local_issuer import default_scopes
from osler.http.platform import Platform
from osler.http.policy import Role
from osler.settings import Settings


def token(
    settings: Settings,
    user_id: uuid.UUID,
    *roles: Role,
    scopes: Iterable[str] | None = None,
    lifetime: timedelta = timedelta(minutes=10),
) -> str:
    """An access token of the local issuer; a learner's unless roles are named."""
    held = roles or (Role.LEARNER,)
    return open_local_issuer(settings).sign(
        user_id,
        roles=held,
        scopes=default_scopes(held) if scopes is None else scopes,
        issued_at=clock.now(),
        lifetime=lifetime,
    )


@dataclass
class Web:
    """The application and a client of it."""

    settings: Settings
    app: FastAPI
    client: httpx.AsyncClient
    learner: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def platform(self) -> Platform:
        return self.app.state.platform

    def auth(self, user_id: uuid.UUID | None = None, *roles: Role) -> dict[str, str]:
        """Headers of that caller; of this Web's own learner when none is named."""
        return {"Authorization": f"Bearer {token(self.settings, user_id or self.learner, *roles)}"}

    async def until_it_hears(self) -> None:
        """Wait until this process hears of changes made by others: before that nothing is kept, or not for long."""
        nothing_heard = (None, "0.0")
        async with asyncio.timeout(30):
            while await self.platform.answers.cache.generation(uuid.uuid4()) in nothing_heard:
                await asyncio.sleep(0.01)

    async def get(self, path: str, **options: object) -> httpx.Response:
        """GET as this Web's own learner."""
        return await self.client.get(path, headers=self.auth(), **options)  # type: ignore[arg-type]


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Web]:
    """The application, started and stopped as a server would."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://osler.test") as client,
    ):
        yield Web(settings, app, client)
