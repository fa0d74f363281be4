"""Sessions: what commits, what is refused, what a failure is called."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from osler.db.engine import Database

pytestmark = pytest.mark.integration


async def test_write_commits_at_its_end(database: Database) -> None:
    async with database.write() as session:
        await session.execute(sa.text("insert into questions (question_id) values ('q')"))
    async with database.read() as session:
        assert await session.scalar(sa.text("select count(*) from questions")) == 1


async def test_error_rolls_back(database: Database) -> None:
    async def fail_after_writing() -> None:
        async with database.write() as session:
            await session.execute(sa.text("insert into questions (question_id) values ('q')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    async with database.read() as session:
        assert await session.scalar(sa.text("select count(*) from questions")) == 0
