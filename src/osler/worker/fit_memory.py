"""How does each learner forget? Fitted where next-day reviews have grown by a fifth, taken where it wins on the newest.

A new fit is a new version: the learner is folded anew under it, and under the parameters promoted last, in the
transaction that keeps it. The guard is carried on from the forecasts that were made at the time, with a tenth of its
weight shared out, as in the backtest.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.retrieval.folding import NAME as RETRIEVAL
from osler.analytics.retrieval.history import Start, history_of, start_of
from osler.analytics.retrieval.model import LearnerMemory
from osler.db.session import WriteSession
from osler.domain.events import Cursor
from osler.eventlog import checkpoints, learner_locks
from osler.eventlog.checkpoints import Checkpoint
from osler.eventlog.reading import read_after
from osler.forecasts.parameters import ParameterStore
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.live import learners
from osler.live.catch_up import Live, regrades
from osler.live.restoring import CHECKPOINT
from osler.science import blend, fsrs_rs, guard, memory_fit
from osler.science.memory_fit import MIN_REVIEWS, REFIT_AT, Fit, History

NAME = "fit_memory"
LEARNERS_AT_ONCE = 200
TRIES = 3

# Next-day reviews so far are what the guard has counted.
_GROWN = f"""
select s.user_id from learner_states s left join memory_parameters p using (user_id)
 where s.user_id > $1
   and (s.states -> 'retrieval' -> 'guard' ->> 'n')::int >= greatest({MIN_REVIEWS}, {REFIT_AT} * coalesce(p.reviews, 0))
 order by s.user_id limit {LEARNERS_AT_ONCE}
"""
_KEEP = """
insert into memory_parameters (user_id, version, fsrs, sbd, fsrs_verdict, sbd_verdict, reviews, fitted_ts, fitted_id,
                               guard_passed, guard_n, guard_advantage)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (user_id) do update
   set version = excluded.version, fsrs = excluded.fsrs, sbd = excluded.sbd, fsrs_verdict = excluded.fsrs_verdict,
       sbd_verdict = excluded.sbd_verdict, reviews = excluded.reviews, fitted_ts = excluded.fitted_ts,
       fitted_id = excluded.fitted_id, guard_passed = excluded.guard_passed, guard_n = excluded.guard_n,
       guard_advantage = excluded.guard_advantage, fitted_at = now()
"""


def memory_job(live: Live) -> Job:
    """The weekly job."""

    async def fit(run: Run) -> None:
        by = "fsrs-rs" if fsrs_rs.AVAILABLE else "our own gradient, as the extra osler[fit] is not installed"
        after, done = UUID(int=0), 0
        await run.progress(f"fitting by {by}")
        while True:
            async with run.read() as session:
                rows: Any = await session.driver().fetch(_GROWN, after)
            if not rows:
                return
            for row in rows:
                after = row["user_id"]
                try:
                    done += await _fit_one(run, live, after)
                except Exception as failed:  # noqa: BLE001 - parked with its reason, or raised again by `park`
                    await run.park(after, run.day, failed)
                await run.progress(f"fitted by {by}", done)

    return Job(NAME, "fits how each learner forgets", fit, cadence=Cadence.WEEKLY)


async def _fit_one(run: Run, live: Live, user_id: UUID) -> bool:
    """Fit a learner outside of any transaction, and keep it if nothing was folded meanwhile; else once more."""
    for _ in range(TRIES):
        await live.catch_up(user_id)
        seen = await _read(run, user_id)
        if seen is None:
            return False
        # In a thread: the lease of the job is renewed meanwhile.
        found = await asyncio.to_thread(memory_fit.fit_learner, seen.history, population=seen.under)
        async with run.write() as session:
            if await _keep(session, live, user_id, seen.cursor, found):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Seen:
    """The reviews of a learner up to an event, and the parameters that a fit begins with and is drawn towards."""

    history: History
    cursor: Cursor
    under: blend.Parameters


async def _read(run: Run, user_id: UUID) -> _Seen | None:
    """What a fit learns from: the log, or what is left of it, from the memories of the last checkpoint on.

    The parameters of these stand for the reviews that are gone: a fit to what is left is drawn towards them.
    """
    async with run.read() as session:
        row = await learners.read(session, user_id)
        kept = await checkpoints.latest(session, user_id, CHECKPOINT)
        events = await read_after(session, user_id, None if kept is None else kept.cursor)
    if row.cursor is None:
        return None
    at = (row.cursor.event_ts, row.cursor.event_id)
    known = [event for event in events if (event.event_ts, event.event_id) <= at]
    start = Start() if kept is None else _start(kept)
    return _Seen(history_of(known, regrades(known), start), row.cursor, start.learner.parameters)


def _start(kept: Checkpoint) -> Start:
    [row] = kept.state["learner_states"]
    return start_of(row["states"].get(RETRIEVAL, {}), kept.state.get("item_memory", []))


async def _keep(session: WriteSession, live: Live, user_id: UUID, cursor: Cursor, found: Fit) -> bool:
    await learner_locks.hold(session.driver(), [user_id])
    row = await learners.read(session, user_id)
    if row.cursor != cursor:
        return False
    now = msgspec.convert(row.states.get(RETRIEVAL, {}), LearnerMemory)
    state = now.guard if found.parameters == now.parameters else guard.refitted(now.guard)
    weights, sbd = list(found.parameters.fsrs.values), [float(value) for value in found.parameters.sbd]
    await session.driver().execute(
        _KEEP, user_id, _version(cursor, found.parameters), weights, sbd, found.fsrs, found.sbd, state.n,
        cursor.event_ts, cursor.event_id, state.passed, state.n, state.advantage,
    )  # fmt: skip
    version = await ParameterStore().current_version(session)
    await live.refold_in(session, user_id, replace(row, version=version))
    return True


def _version(cursor: Cursor, parameters: blend.Parameters) -> str:
    numbers = msgspec.json.encode((*parameters.fsrs.values, *parameters.sbd))
    return f"memory-{cursor.event_ts:%Y%m%d}-{hashlib.sha256(numbers).hexdigest()[:8]}"
