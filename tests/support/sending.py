"""Sends bodies through the real pipeline, and erases a learner the way the erasure machine begins."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from osler.db.engine import Database
from osler.eventlog.tombstones import KEY_NAME, LOCK_SPACE, bucket, subject_mac
from osler.ingest.decoding import decode
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.work import Sender
from osler.observe.keys import secret_key

Send = Callable[..., Awaitable[Taken]]


@pytest.fixture(scope="module")
def fresh_database(cluster: Any) -> Iterator[str]:
    """One clone for a whole file: its tests never share a learner. Import it to put it in the usual one's place."""
    name = f"m_{secrets.token_hex(6)}"
    asyncio.run(cluster.create(name, cluster.template))
    yield name
    asyncio.run(cluster.drop(name))


LOG = ("study_events", "question_attempts", "material_interactions")


def sending(database: Database) -> Send:
    """Send a body as a learner; the answer of the pipeline, without HTTP."""

    async def send(body: bytes, user_id: UUID, *, sender: Sender | None = None, atomic: bool = False) -> Taken:
        found = decode(body)
        return await ingestion_of(database).take(
            found.events, found.envelope, sender or Sender.learner(user_id), atomic=atomic
        )

    return send


def codes(taken: Taken) -> list[str]:
    """Status or code of each event, in order."""
    return [each.code.value if each.code else each.status.value for each in taken.outcomes]


def assert_adds_up(taken: Taken, received: int) -> None:
    """I4: every event has exactly one status."""
    assert sum(taken.counts().values()) == received == len(taken.outcomes)
    assert [each.index for each in taken.outcomes] == list(range(received))


async def stored_ids(connection: Any, user_id: UUID) -> list[str]:
    """Ids in the log, read past the application."""
    rows = await connection.fetch("select event_id::text from study_events where user_id = $1", user_id)
    return [row[0] for row in rows]


async def bury(connection: Any, database: Database, user_id: UUID) -> None:
    """Tombstone and delete, as `osler_eraser`: exclusive lock on the bucket, then the events."""
    mac = subject_mac(secret_key(database.settings.home, KEY_NAME), user_id)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, bucket(user_id))
        await connection.execute("insert into tombstones (subject_mac) values ($1) on conflict do nothing", mac)
    async with connection.transaction():
        await connection.execute(f"set local osler.erasure_id = '{uuid4()}'")
        for table in (*LOG, "dirty_days"):
            await connection.execute(f"delete from {table} where user_id = $1", user_id)


async def survivors(connection: Any, user_id: UUID) -> int:
    """Rows of a learner in every table of the log."""
    counts = [
        await connection.fetchval(f"select count(*) from {t} where user_id = $1", user_id) for t in (*LOG, "dirty_days")
    ]
    return sum(counts)
