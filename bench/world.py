"""An installation with millions of events in its log, made for the benches and thrown away after them.

A few learners go in the real way: simulated events through ingestion, folded, every nightly job run. Their rows, log
and derived tables alike, are then copied under new learners by SQL until the log is as long as was asked for, so that
each copy is a whole learner whom the API answers like the first. PostgreSQL runs as the product runs it: fsync on.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from osler import clock
from osler.catalog.curriculum_store import load_curriculum, read_shipped
from osler.db.connect import connect_plainly
from osler.db.embedded import Embedded
from osler.db.engine import Database
from osler.db.migrate import migrate
from osler.http.auth import open_local_issuer
from osler.http.local_issuer import default_scopes
from osler.http.policy import Role
from osler.settings import Settings, load_settings
from osler.simulate.sample_class import ClassPlan, send_class
from osler.worker.up_to_date import bring_up_to_date

SEED = 7
LEARNERS_FIRST = 4
COPIES_AT_ONCE = 10
NOT_COPIED = ("tombstones", "access_log", "cohort_members")

# Tables with a learner's rows, without partitions: rows go in through the parent.
_TABLES = """
select c.table_name,
       array_agg(c.column_name::text order by c.ordinal_position)
         filter (where c.is_generated = 'NEVER' and c.is_identity = 'NO') as columns
  from information_schema.columns c
  join pg_class r on r.oid = c.table_name::regclass and r.relkind in ('r', 'p') and not r.relispartition
 where c.table_schema = 'public'
 group by 1 having bool_or(c.column_name = 'user_id' and c.udt_name = 'uuid') order by 1
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the benches ask: where it runs, whose data, and how much of them."""

    settings: Settings
    admin_url: str
    learners: tuple[UUID, ...]
    topics: tuple[str, ...]
    questions: tuple[str, ...]
    events: int
    events_a_learner: int

    def token(self, user_id: UUID, role: Role = Role.LEARNER) -> str:
        """A token of the installation's own issuer, good for a day."""
        issuer = open_local_issuer(self.settings)
        scopes = default_scopes([role])
        return issuer.sign(user_id, roles=[role], scopes=scopes, issued_at=clock.now(), lifetime=timedelta(days=1))


@contextmanager
def world(events: int, *, days: int = 180) -> Iterator[World]:
    """A temporary installation with at least so many events; progress goes to standard error."""
    with tempfile.TemporaryDirectory(prefix="osler-bench-") as folder:
        embedded = Embedded.start(load_settings(home=Path(folder)))
        try:
            urls = embedded.urls()
            settings = load_settings(home=Path(folder), database_url=urls.app, owner_database_url=urls.owner)
            yield asyncio.run(_fill(settings, urls.admin, events, days))
        finally:
            embedded.close()
            embedded.wait_until_stopped(60)


async def _fill(settings: Settings, admin_url: str, events: int, days: int) -> World:
    began = time.perf_counter()
    await migrate(settings)
    async with Database.open(settings) as db:
        first, stored = await _send(db, days)
        _say(f"{stored:,} events of {len(first)} learners sent the real way", began)
        await bring_up_to_date(db)
        _say("folded, nightly jobs run", began)
    admin: Any = await connect_plainly(admin_url)
    try:
        learners = await _copy(admin, first, stored, events)
        await admin.execute("vacuum analyze")
        total = int(await admin.fetchval("select count(*) from study_events"))
        topics = await admin.fetch(
            "select topic_id from topic_mastery where user_id = $1 order by attempts desc, 1 limit 20", first[0]
        )
        questions = await admin.fetch("select question_id from questions order by 1 limit 500")
    finally:
        await admin.close()
    _say(f"{total:,} events of {len(learners)} learners in the log", began)
    return World(
        settings, admin_url, tuple(learners), tuple(r["topic_id"] for r in topics),
        tuple(r["question_id"] for r in questions), total, stored // len(first),
    )  # fmt: skip


async def _send(db: Database, days: int) -> tuple[tuple[UUID, ...], int]:
    async with db.write() as session:
        await load_curriculum(session, read_shipped("usmle"))
    plan = ClassPlan(LEARNERS_FIRST, days, 1.0, SEED, await db.now())
    made = await send_class(db, plan)
    return made.learners, made.stored


async def _copy(admin: Any, first: tuple[UUID, ...], stored: int, wanted: int) -> list[UUID]:
    """Copies of the first learners; gives all learners. Triggers rest: the rows have passed them once already."""
    copies = max(0, -(-wanted // stored) - 1)
    tables = [(r["table_name"], r["columns"]) for r in await admin.fetch(_TABLES) if r["table_name"] not in NOT_COPIED]
    learners = list(first)
    await admin.execute("set session_replication_role = replica")
    for start in range(1, copies + 1, COPIES_AT_ONCE):
        numbers = list(range(start, min(copies, start + COPIES_AT_ONCE - 1) + 1))
        async with admin.transaction():
            for table, columns in tables:
                await admin.execute(_copied(table, columns), list(first), numbers)
        found = await admin.fetch(_COPIES, list(first), numbers)
        learners += [row["id"] for row in found]
        _say(f"copied {start + len(numbers) - 1} of {copies} times")
    return learners


_NEW_ID = "md5(s.user_id::text || copy_number)::uuid"
_COPIES = (
    f"select {_NEW_ID} as id from unnest($1::uuid[]) as s(user_id), unnest($2::int[]) as copy_number "
    "order by copy_number, user_id"
)


def _copied(table: str, columns: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(_NEW_ID if name == "user_id" else f's."{name}"' for name in columns)
    return (
        f"insert into {table} ({names}) select {values} from {table} s, unnest($2::int[]) as copy_number "
        f"where s.user_id = any($1::uuid[]) order by copy_number, s.user_id on conflict do nothing"
    )


def _say(text: str, began: float | None = None) -> None:
    passed = "" if began is None else f" ({time.perf_counter() - began:.0f} s)"
    print(f"world: {text}{passed}", file=sys.stderr, flush=True)
