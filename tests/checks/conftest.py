"""One small world for all checks: three learners on a real database behind the real application.

`IN_ORDER` studied a month, folded as it went; in a second database the same learner sent the same events backwards
in one batch. `BEGINNER` answered twice; `NEWCOMER` did nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
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
BEGINNER = UUID("5f0c0000-0000-4000-8000-00000000000c")
NEWCOMER = UUID("5f0c0000-0000-4000-8000-00000000000d")


NIGHT = START + timedelta(days=40)


@dataclass
class World:
    """The application, what a replay of its log says, and the same log as it came in backwards."""

    web: Web
    report: Report
    backwards: Database

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
    await drain(database, analytics(), as_of=NIGHT)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The learners, studied, folded and counted."""
    names = [f"t_{secrets.token_hex(6)}" for _ in range(2)]
    for name in names:
        await cluster.create(name, cluster.template)
    first, second = (cluster.settings(name, home=tmp_path_factory.mktemp("home")) for name in names)
    async with serving(first) as web, Database.open(second) as backwards:
        await _study(web.platform.db)
        await small_catalogue(backwards)
        await send(backwards, history()[::-1], IN_ORDER)
        await settle_everything(backwards)
        yield World(web, await Replay(web.platform.db, analytics()).verify(), backwards)
    for name in names:
        await cluster.drop(name)


async def _study(database: Database) -> None:
    await small_catalogue(database)
    events = history()
    live = Live(database, analytics())
    for start in range(0, len(events), 40):
        await send(database, events[start : start + 40], IN_ORDER)
        await live.catch_up(IN_ORDER)
    await send(database, [answer(START, n, f"q{n}", right=True) for n in range(2)], BEGINNER)
    await settle_everything(database)


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
