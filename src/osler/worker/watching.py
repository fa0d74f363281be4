"""What a worker and a scheduler show of themselves: `/metrics`, looked after, when a port is set."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from osler.db.engine import Database
from osler.http.cache.open import running
from osler.live.gauges import keep_looking
from osler.observe.listener import metrics_listener
from osler.observe.statements import note_statement
from osler.settings import Settings
from osler.worker.night import opened


@asynccontextmanager
async def watched(settings: Settings, database: Database | None = None) -> AsyncGenerator[None]:
    """Serve `/metrics` while the block runs; with a database of its own where none is handed in.

    Errors: Misconfigured when the port is taken.
    """
    with metrics_listener(settings) as port:
        if port is None:
            yield
        elif database is not None:
            database.on_query = note_statement
            async with running(keep_looking(database)):
                yield
        else:
            async with opened(settings) as night:
                night.database.on_query = note_statement
                async with running(keep_looking(night.database)):
                    yield


class Watch:
    """The same beside a program that has no event loop of its own, in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, when a port is set."""
        if self._settings.metrics_port is not None:
            self._thread.start()

    def stop(self) -> None:
        """End, within a second or two."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._watch())

    async def _watch(self) -> None:
        async with watched(self._settings):
            await self._stop.wait()
