"""Tracking for a host that has Osler's database at hand: batches go through the same ingestion, without HTTP."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from osler.db.engine import Database
from osler.errors import Busy, Misconfigured, OslerError
from osler.ingest.decoding import decode
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.work import Outcome, Sender
from osler.tracking.sinks import Reply, Verdict

TOTAL_SECONDS = 5.0
_SERVICE = Sender(None, is_service=True, may_create=True)
OnStored = Callable[[UUID], None]


def local_sink(db: Database, *, on_stored: OnStored | None = None) -> LocalSink:
    """A sink for `osler.tracking.Osler` on the host's own event loop and database.

    Call it on the loop on which `db` was opened. `on_stored` is called there for each learner with something new.
    Errors: Misconfigured without a running loop.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise Misconfigured("local_sink is made on the event loop on which its database was opened") from None
    return LocalSink(db, loop, on_stored)


class LocalSink:
    """Sends from the sender's thread into the host's loop and waits there. A loop that has closed is nobody there."""

    name = "local"

    def __init__(self, db: Database, loop: asyncio.AbstractEventLoop, on_stored: OnStored | None) -> None:
        self._db = db
        self._loop = loop
        self._on_stored = on_stored
        self._under_way: concurrent.futures.Future[Reply] | None = None

    def send(self, body: bytes) -> Reply:
        """Store the batch in one transaction; the reply is what the batch endpoint would have said."""
        taking = self._take(body)
        try:
            self._under_way = asyncio.run_coroutine_threadsafe(taking, self._loop)
        except RuntimeError:
            taking.close()
            return Reply(0)
        try:
            return self._under_way.result(TOTAL_SECONDS)
        except (TimeoutError, concurrent.futures.CancelledError):
            self._under_way.cancel()
            return Reply(0)
        except Exception:  # noqa: BLE001 (as over HTTP: a fault of the service is an answer, the events stay)
            return Reply(500)
        finally:
            self._under_way = None

    async def _take(self, body: bytes) -> Reply:
        try:
            decoded = decode(body)
            taken = await ingestion_of(self._db).take(decoded.events, decoded.envelope, _SERVICE)
        except Busy as busy:
            return Reply(busy.status, retry_after_seconds=busy.retry_after_seconds)
        except OslerError as error:
            return Reply(error.status)
        self._tell(taken)
        return Reply(200, {each.index: _verdict_of(each) for each in taken.outcomes})

    def _tell(self, taken: Taken) -> None:
        if self._on_stored is not None:
            for user_id in set(taken.accepted.rows.user_id):
                with suppress(Exception):  # what follows the commit cannot undo it
                    self._on_stored(UUID(user_id))

    def interrupt(self) -> None:
        """Give up waiting; the transaction is rolled back unless it was past its commit."""
        under_way = self._under_way
        if under_way is not None:
            under_way.cancel()

    def close(self) -> None:
        """Nothing to close: the database is the host's."""

    def abandon(self) -> None:
        """In a forked child: the loop is the parent's, so nobody is there."""
        self._under_way = None


def _verdict_of(outcome: Outcome) -> Verdict:
    return Verdict(outcome.index, outcome.status.value, outcome.id, outcome.code, outcome.retry_after_seconds)
