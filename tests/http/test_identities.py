"""Who comes second when one person is met twice at once: the pseudonym of the first, and nobody is left behind."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from osler.db.driver import Driver
from osler.db.engine import Database
from osler.http.identities import identity_mac, meet

pytestmark = pytest.mark.integration


async def test_two_first_requests_of_one_person_are_one_learner(database: Database, admin: Driver) -> None:
    mac = identity_mac(b"k" * 32, "https://id.example", "ada")
    second_waits = asyncio.Event()

    async def first() -> uuid.UUID:
        async with database.write() as session:
            found = await meet(session, "https://id.example", mac, uuid.uuid4())
            second_waits.set()
            await asyncio.sleep(0.3)  # its transaction is open while the second asks
            return found

    async def second() -> uuid.UUID:
        await second_waits.wait()
        async with database.write() as session:
            return await meet(session, "https://id.example", mac, uuid.uuid4())

    one, other = await asyncio.gather(first(), second())
    assert one == other
    assert await admin.fetchval("select count(*) from users") == 1
