"""Fixtures of ingestion: a way to send a body as a learner and see what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from osler.db.engine import Database
from osler.ingest.decoding import decode
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.work import Sender

Send = Callable[..., Awaitable[Taken]]


@pytest.fixture
def send(database: Database) -> Send:
    """Send a body as a learner; the answer of the pipeline, without HTTP."""

    async def sending(body: bytes, user_id: UUID, *, sender: Sender | None = None, atomic: bool = False) -> Taken:
        found = decode(body)
        return await ingestion_of(database).take(
            found.events, found.envelope, sender or Sender.learner(user_id), atomic=atomic
        )

    return sending
