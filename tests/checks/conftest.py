"""One small world for all checks: four learners on a real database behind the real application.

`in_order` studied a month, folded as it went; `shuffled` sent the very same events backwards in one batch;
`beginner` answered twice; `newcomer` did nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.support.learning import START, answer, history, send, small_catalogue
from tests.support.web import Web, serving

from osler.analytics.contract import Analytic
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.replay import Replay, Report
from osler.rollups.draining import drain

IN_ORDER = UUID("5f0c0000-0000-4000-8000-00000000000a")
SHUFFLED = UUID("5f0c0000-0000-4000-8000-00000000000b")
BEGINNER = UUID("5f0c0000-0000-4000-8000-00000000000c")
NEWCOMER = UUID("5f0c0000-0000-4000-8000-00000000000d")


@dataclass
class World:
    """The application, and what a replay of its log says."""

    web: Web
    report: Report

    @property
    def database(self) -> Database:
        return self.web.platform.db

    async def ask(self, path: str, user_id: UUID) -> Any:
        """The JSON answer to a learner's own GET; it must be a 200."""
        answered = await self.web.client.get(path, headers=self.web.auth(user_id))
        assert answered.status_code == 200, (path, answered.text)
        return answered.json()


async def settle_everything(database: Database) -> None:
    """Fold and count whatever is marked."""
    await draining.drain(database, Live(database, analytics()))
    await drain(database, analytics())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The learners, studied, folded and counted."""
    name = f"t_{secrets.token_hex(6)}"
    await cluster.create(name, cluster.template)
    home: Path = tmp_path_factory.mktemp("home")
    async with serving(cluster.settings(name, home=home)) as web:
        database = web.platform.db
        await small_catalogue(database)
        events = history()
        live = Live(database, analytics())
        for start in range(0, len(events), 40):
            await send(database, events[start : start + 40], IN_ORDER)
            await live.catch_up(IN_ORDER)
        await send(database, events[::-1], SHUFFLED)
        await send(database, [answer(START, n, f"q{n}", right=True) for n in range(2)], BEGINNER)
        await settle_everything(database)
        yield World(web, await Replay(database, analytics()).verify())
    await cluster.drop(name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every check runs for every analytic of the registry; what one skips says why."""
    if "analytic" in metafunc.fixturenames:
        metafunc.parametrize("analytic", analytics(), ids=lambda found: found.name)


@pytest.fixture(autouse=True)
def _declared_skips(request: pytest.FixtureRequest) -> None:
    analytic = request.node.callspec.params.get("analytic") if hasattr(request.node, "callspec") else None
    if isinstance(analytic, Analytic):
        check = request.node.originalname.removeprefix("test_")
        if check in analytic.skips:
            pytest.skip(analytic.skips[check])
