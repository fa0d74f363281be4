"""Whoever counts or makes rows and meets a deadlock does it once more: a fold holds rows of several learners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.rollups.test_faults import two_learners

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live import draining
from osler.live.catch_up import Live
from osler.rollups.draining import drain
from osler.rollups.making import Making
from osler.worker.night import night_of
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration

DEADLOCK = "do $$ begin raise exception 'deadlock detected' using errcode = '40P01'; end $$"


def meets_a_deadlock(real: Callable[..., Any], met: list[str], name: str) -> Callable[..., Any]:
    """The same, whose first call is undone by the database after its work was done."""

    async def once_more(self: Making, session: Any, *parts: Any) -> Any:
        found = await real(self, session, *parts)
        met.append(name)
        if met.count(name) == 1:
            await session.driver().execute(DEADLOCK)
        return found

    return once_more


@pytest.mark.parametrize("by", ["night", "drain"])
async def test_a_deadlock_is_one_more_try(by: str, database: Database, monkeypatch: pytest.MonkeyPatch):
    await two_learners(database)
    met: list[str] = []
    for name in ("hand_out", "count", "refresh"):
        monkeypatch.setattr(Making, name, meets_a_deadlock(getattr(Making, name), met, name))
    if by == "night":
        night = night_of(database)
        for job in night.jobs:
            await night.run(job.name)
    else:
        await draining.drain(database, Live(database, analytics()))
        await drain(database, analytics())
    assert all(met.count(name) >= 2 for name in ("hand_out", "count", "refresh")), met
    monkeypatch.undo()
    assert (await verify_now(database)).report.equal
