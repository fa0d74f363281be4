"""A fold does not wait for the disk: what becomes of it when PostgreSQL is killed in that very moment?"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.learning import LEARNER, history, send, small_catalogue

from osler.analytics.contract import Analytic, Batch, Moments
from osler.analytics.registry import analytics
from osler.db.embedded import Embedded
from osler.db.engine import Database
from osler.db.migrate import migrate
from osler.errors import Unavailable
from osler.eventlog import marks
from osler.live import learners
from osler.live.catch_up import Live
from osler.live.replay import Replay
from osler.rollups.draining import drain
from osler.settings import Settings, load_settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes of the server are stopped by signals"),
]

EVENTS = history(8)
HALF = len(EVENTS) // 2


class Server:
    """A server of its own, and what can be done to it."""

    def __init__(self, home: Path) -> None:
        asked = load_settings(
            profile="test", home=home, embedded_fsync=False, embedded_shared_buffers="32MB", embedded_linger_seconds=0
        )
        self.embedded = Embedded.start(asked)
        urls = self.embedded.urls()
        self.settings: Settings = load_settings(
            profile="test", home=home, database_url=urls.app, owner_database_url=urls.owner
        )

    @property
    def postmaster(self) -> psutil.Process:
        """The process that the pid file names."""
        return psutil.Process(int((self.embedded.place.data / "postmaster.pid").read_text().split("\n")[0]))

    def let_nobody_write_the_log_out(self) -> None:
        """Stop the processes that write out what commits have left in memory: WAL writer, checkpointer and the like."""
        stopped = [each for each in self.postmaster.children() if "[local]" not in " ".join(each.cmdline())]
        assert any("walwriter" in " ".join(each.cmdline()) for each in stopped)
        for each in stopped:
            each.suspend()

    async def kill(self) -> None:
        """SIGKILL to all of it at once, as a crash is; its keeper starts it again."""
        postmaster = self.postmaster
        family = [postmaster, *postmaster.children()]
        for each in family:
            each.kill()
        await asyncio.to_thread(psutil.wait_procs, family, 10)
        assert not postmaster.is_running()

    async def back(self) -> None:
        """Wait until it has recovered and takes connections."""
        for _ in range(1_500):
            if self.embedded.is_ready():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the server did not come back")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    made = Server(tmp_path / "home")
    yield made
    made.embedded.close()
    made.embedded.wait_until_stopped()


class KillingFold:
    """The last fold of all: when its turn comes, the server is killed, before anything is written."""

    event_types = frozenset[str]()
    with_events: tuple[Any, ...] = ()
    of_items: tuple[Any, ...] = ()

    def __init__(self, server: Server) -> None:
        self.server = server

    async def fold(self, session: Any, batch: Batch) -> None:
        await self.server.kill()

    async def settle(self, session: Any, moments: Moments, parameters: Any) -> None:
        """Nothing."""


async def test_a_fold_that_a_crash_undid_is_made_again_from_its_marks(server: Server):
    before, sent = await studied(server)
    async with Database.open(server.settings) as database:
        live = Live(database, analytics())
        server.let_nobody_write_the_log_out()
        caught = await live.catch_up(LEARNER)
        assert (caught.events, caught.generation > before) == (HALF, True)
        assert await standing(database) == (caught.generation, 0), "the fold is committed, and a reader sees it"
        await server.kill()
    await server.back()
    async with Database.open(server.settings) as database:
        assert await standing(database) == (before, HALF), "the crash took nothing back: the fault did not happen"
        await recovered(database, sent)


async def test_a_fold_killed_before_its_commit_leaves_its_marks(server: Server):
    before, sent = await studied(server)
    killing = Analytic("killing", "what if", live=KillingFold(server))
    async with Database.open(server.settings) as database:
        with pytest.raises(Unavailable):
            await Live(database, [*analytics(), killing]).catch_up(LEARNER)
    await server.back()
    async with Database.open(server.settings) as database:
        assert await standing(database) == (before, HALF)
        await recovered(database, sent)


async def studied(server: Server) -> tuple[int, int]:
    """Half of the events folded, the others stored; gives the generation and how many events were acknowledged."""
    await migrate(server.settings)
    async with Database.open(server.settings) as database:
        await small_catalogue(database)
        await send(database, EVENTS[:HALF])
        live = Live(database, analytics())
        await live.catch_up(LEARNER)
        await send(database, EVENTS[HALF:])  # durable, and everything before it with it
        generation, waiting = await standing(database)
        assert waiting == HALF
        return generation, len(EVENTS)


async def standing(database: Database) -> tuple[int, int]:
    """The learner's generation, and how many events wait to be folded."""
    async with database.read(primary=True) as session:
        row = await learners.read(session, LEARNER)
        return row.generation, await marks.backlog(session, marks.LIVE)


async def recovered(database: Database, sent: int) -> None:
    """Nothing acknowledged is lost, the fold is made again, and replay says the same."""
    async with database.read(primary=True) as session:
        assert await session.driver().fetchval("select count(*) from study_events where user_id = $1", LEARNER) == sent
    caught = await Live(database, analytics()).catch_up(LEARNER)
    assert (caught.events, caught.is_refold) == (HALF, False)
    await drain(database, analytics())
    report = await Replay(database, analytics()).verify()
    assert report.equal, report
    assert report.tables["topic_mastery"].rows
