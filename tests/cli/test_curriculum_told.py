"""A curriculum that was loaded is told to every process: no kept answer has the names of before."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from osler.catalog.curriculum_store import read_shipped
from osler.cli import curriculum
from osler.db.engine import Database
from osler.http.cache.news import CHANNEL, EVERYBODY
from osler.settings import Settings

pytestmark = pytest.mark.integration


async def test_a_loaded_curriculum_is_announced_to_everybody(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    assert settings.database_url is not None
    monkeypatch.setattr("osler.settings.load_settings", lambda: settings)
    heard: asyncio.Queue[str] = asyncio.Queue()
    line = await asyncpg.connect(settings.database_url.get_secret_value().replace("+asyncpg", ""))
    try:
        await line.add_listener(CHANNEL, lambda *said: heard.put_nowait(str(said[-1])))
        assert (await curriculum._load(read_shipped("usmle"))).changed
        assert await asyncio.wait_for(heard.get(), 5) == EVERYBODY
    finally:
        await line.close()
