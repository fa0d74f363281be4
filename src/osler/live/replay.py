"""Is every derived row what the log says? Folds and counts everything again beside the live rows, and compares.

The shadow is made of temporary tables under the same names: PostgreSQL finds those first, so the very code that
writes the live rows writes the shadow, and the live rows stay within reach as `public.<name>`. Learners go through in
chunks, each in one transaction; the shadow is gone with it.

A transaction sees one moment. In it every row is what the log says, or something says that it is still to be made: a
learner of whom anything is waiting at that moment is left out, and named, to be looked at once it is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import Analytic, Days, DerivedTable, LearnerSettings
from osler.analytics.grounds import made_as_of
from osler.analytics.registry import refreshes_of, rollups_of
from osler.db.engine import Database
from osler.db.session import ReadSession, WriteSession
from osler.forecasts.predictions import copy_into_shadow
from osler.jobs.telling import Told, silent
from osler.live.catch_up import Live
from osler.live.comparing import TableDifference, compare
from osler.live.draining import to_fold_anew
from osler.live.learners import LearnerRow
from osler.live.shadow import cast_shadow

CHUNK = 100
PAGE = 20_000
CHUNKS_AT_ONCE = 3
"""While PostgreSQL works for one, Python folds another: one at a time keeps less than one processor busy."""
DAYS_A_CALL = 20_000

# Folds ask the same small questions of every learner; counts are worth a plan for their own days (`begin_statement`).
_OWN_PLANS = "set local plan_cache_mode = force_custom_plan"

_LEARNERS = """
select user_id from users where user_id > $1 order by user_id limit $2
"""
_ROWS = """
select l.user_id, s.settled_as_of, s.parameter_version, coalesce(u.desired_retention, 0.9) as desired_retention
  from unnest($1::uuid[]) as l(user_id)
  join public.learner_states s using (user_id)
  left join users u using (user_id)
 order by l.user_id
"""
# The tables are held before the moment is fixed: a month that leaves the log leaves it before, with its checkpoint, or
# waits. Each lock is of the weakest kind: it lets everything else go on.
_ONE_MOMENT = """
set transaction isolation level repeatable read;
lock table study_events, question_attempts, material_interactions in access share mode
"""
_BEING_ERASED = "select open_user_id from erasures where open_user_id = any($1::uuid[])"
_DAYS = "select distinct user_id, local_date from study_events where user_id = any($1::uuid[]) order by 1, 2"


Waiting = Callable[[ReadSession, Sequence[UUID]], Awaitable[Collection[UUID]]]
"""Those of the learners of whom something is still to be counted or made."""


@dataclass(slots=True)
class Report:
    """What a replay found: rows compared and differences, by table; `waiting` are learners who were not looked at."""

    learners: int = 0
    tables: dict[str, TableDifference] = field(default_factory=dict[str, TableDifference])
    waiting: list[UUID] = field(default_factory=list[UUID])

    @property
    def equal(self) -> bool:
        """Whether every derived row is what the log says. Nothing is said of learners who are waiting."""
        return all(found.equal for found in self.tables.values())

    def add(self, other: Report) -> None:
        """Add what was found for more learners; those who were waiting are the other's."""
        self.learners += other.learners
        for name, found in other.tables.items():
            self.tables.setdefault(name, TableDifference()).add(found)
        self.waiting = other.waiting


class Replay:
    """Replays learners into a shadow of the derived tables."""

    def __init__(self, database: Database, analytics: Sequence[Analytic], waiting: Waiting | None = None) -> None:
        self._database = database
        self._waiting = waiting
        self._analytics = analytics
        self._live = Live(database, analytics)
        self._tables: list[DerivedTable] = [table for analytic in analytics for table in analytic.tables]
        self._frozen = [table for analytic in analytics for table in analytic.frozen]

    async def verify(self, only: Sequence[UUID] | None = None, told: Told = silent) -> Report:
        """Compare the derived rows of everybody, or of `only` these learners. Nothing is changed.

        Learners who are waiting are left out; without `waiting` nobody is, and what is not made yet is a difference.
        Who is being erased has no log any more while rows are still to be deleted: of them nothing is said.
        """
        report = Report(tables={found.table.name: TableDifference() for found in self._tables})
        chunks, one_asks = self._chunks(only), asyncio.Lock()

        async def look() -> None:
            while True:
                async with one_asks:
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                await self._look(chunk, report)
                await told(len(chunk))

        try:
            async with asyncio.TaskGroup() as looking:
                for _ in range(CHUNKS_AT_ONCE):
                    looking.create_task(look())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return report

    async def _look(self, chunk: Sequence[UUID], report: Report) -> None:
        """Compare some learners as of one moment."""
        limit = self._database.settings.job_statement_timeout_seconds  # it counts all of history, as a job does
        async with self._database.write(statement_timeout_seconds=limit, keeps_plans=True) as session:
            await session.driver().execute(_ONE_MOMENT)
            here = await _without_erased(session, chunk)
            left_out = set[UUID]()
            if self._waiting is not None:
                left_out = {*await self._waiting(session, here), *await to_fold_anew(session, here)}
            report.waiting += sorted(left_out)
            await self._compare(session, [user_id for user_id in here if user_id not in left_out], report)

    async def _compare(self, session: WriteSession, chunk: Sequence[UUID], report: Report) -> None:
        if not chunk:
            return
        await cast_shadow(session, [*(found.table for found in self._tables), *self._frozen])
        await self._rebuild(session, chunk)
        for found in self._tables:
            report.tables[found.table.name].add(await compare(session, found, chunk))
        report.learners += len(chunk)

    async def _chunks(self, only: Sequence[UUID] | None) -> AsyncIterator[list[UUID]]:
        async for some in self._pages(only):
            for start in range(0, len(some), CHUNK):
                yield list(some[start : start + CHUNK])

    async def _pages(self, only: Sequence[UUID] | None) -> AsyncIterator[Sequence[UUID]]:
        """Very many at once: asking takes a connection of its own."""
        if only is not None:
            yield only
            return
        after, page = UUID(int=0), list[UUID]()
        while not page or len(page) == PAGE:
            async with self._database.read(primary=True) as session:
                rows: Any = await session.driver().fetch(_LEARNERS, after, PAGE)
            page = [row["user_id"] for row in rows]
            if not page:
                return
            yield page
            after = page[-1]

    async def _rebuild(self, session: WriteSession, chunk: Sequence[UUID]) -> None:
        await copy_into_shadow(session, chunk)
        rows: Any = await session.driver().fetch(_ROWS, list(chunk))
        for row in rows:
            learner = LearnerRow(
                settled_as_of=row["settled_as_of"],
                version=row["parameter_version"],
                settings=LearnerSettings(desired_retention=row["desired_retention"]),
            )
            await self._live.refold_in(session, row["user_id"], learner)
        await session.driver().execute(_OWN_PLANS)
        for found in self._tables:  # nobody else will: what was just folded has no statistics to plan by
            await session.driver().execute(f"analyze pg_temp.{found.table.name}")
        await self._recount(session, chunk)
        for found in self._tables:
            if found.day is not None:
                await session.driver().execute(_kept(found, found.day), list(chunk))
        await self._refresh(session, chunk)

    async def _recount(self, session: WriteSession, chunk: Sequence[UUID]) -> None:
        rows: Any = await session.driver().fetch(_DAYS, list(chunk))
        days: list[tuple[UUID, date]] = [(row["user_id"], row["local_date"]) for row in rows]
        for rollup in rollups_of(self._analytics):
            for start in range(0, len(days), DAYS_A_CALL):
                part = days[start : start + DAYS_A_CALL]
                await rollup.recount(session, Days([user for user, _ in part], [day for _, day in part]))

    async def _refresh(self, session: WriteSession, chunk: Sequence[UUID]) -> None:
        for refresh in refreshes_of(self._analytics):
            moments = await made_as_of(session, refresh.name, chunk)
            if moments.user_ids:
                await refresh.refresh(session, moments)


async def _without_erased(session: WriteSession, chunk: Sequence[UUID]) -> list[UUID]:
    """The learners of whom no erasure is under way, in the snapshot of the session."""
    gone = {row[0] for row in await session.driver().fetch(_BEING_ERASED, list(chunk))}
    return [user_id for user_id in chunk if user_id not in gone]


def _kept(found: DerivedTable, day: str) -> str:
    """Takes days over that lie before a learner's checkpoint: their events may have left the log.

    An event's local day lies within two days of its id's time.
    """
    table = found.table
    keys = [column.name for column in table.primary_key.columns]
    written = sorted(found.counted) or [c.name for c in table.columns if c.name not in keys]
    columns = ", ".join((*keys, *written))
    action = ", ".join(f"{name} = excluded.{name}" for name in written)
    return (
        f"insert into {table.name} ({columns}) select {columns} from public.{table.name} t "
        "join (select user_id as learner, max(event_ts) as reached from state_checkpoints "
        "where user_id = any($1::uuid[]) group by 1) c on c.learner = t.user_id "
        f"where t.{day} <= (c.reached at time zone 'UTC')::date + 2 "
        f"on conflict ({', '.join(keys)}) do update set {action}"
    )


def as_json(report: Report) -> dict[str, object]:
    """The report as `osler replay --verify --json` prints it."""
    return {
        "equal": report.equal and not report.waiting,
        "learners": report.learners,
        "waiting": len(report.waiting),
        "tables": {name: msgspec.to_builtins(found) for name, found in sorted(report.tables.items())},
    }
