"""A toy job: it counts rows that it adds, so that a lost or doubled write shows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from osler.db.engine import Database
from osler.jobs.run import Job, Run

PERIOD = "2026-11-22"


class Toy:
    """Rewrites the questions `q0` … `q4` in five stages; the sum of their key versions is what it computed."""

    name = "toy"
    stages = 5

    def __init__(self, database: Database) -> None:
        self.database = database
        self.runs = 0

    async def work(self, run: Run) -> None:
        self.runs += 1
        for stage in range(self.stages):
            async with run.write() as s:
                await write_stage(s, stage)
            await run.progress("write", stage + 1, self.stages)

    def job(self, **options: object) -> Job:
        return Job(**{"name": self.name, "what": "a toy", "work": self.work, **options})

    async def digest(self) -> list[tuple[str, int]]:
        async with self.database.read() as s:
            return await s.tuples(sa.text("select question_id, key_version from questions order by 1"))

    async def statuses(self) -> list[str]:
        async with self.database.read() as s:
            found = await s.tuples(sa.text("select status from job_runs where job = 'toy' order by fence"))
        return [row[0] for row in found]


async def write_stage(s, stage: int) -> None:
    await s.execute(
        sa.text(
            "insert into questions (question_id, key_version) values (:id, :version) "
            "on conflict (question_id) do update set key_version = excluded.key_version"
        ),
        {"id": f"q{stage}", "version": 10 + stage},
    )


@pytest.fixture
def toy(database: Database) -> Toy:
    return Toy(database)
