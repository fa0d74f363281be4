"""Brings one learner's live rows up to the log: folds what is new, or all again when something came late.

Marks decide, never a cursor alone: the order of commits is not the order of time. The marks that this transaction
sees are taken first and the events read after, so that a mark is never deleted whose events were not folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from osler.analytics.contract import Analytic, Batch, Moments, Traced
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.db.upsert import write_together
from osler.domain.events import Cursor, LoggedEvent
from osler.eventlog import checkpoints, marks
from osler.eventlog.marks import Mark
from osler.eventlog.reading import read_after
from osler.forecasts import predictions
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.forecasts.shelf import Shelf
from osler.live import learners
from osler.live.catalogue import items_of, material_topics_of
from osler.live.collector import collector_at_rest
from osler.live.learners import LearnerRow
from osler.live.restoring import CHECKPOINT, restore

REGRADE = "question_regrade"


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a catch-up did: events folded (0 when there was nothing), whether all again, and the generation now."""

    events: int
    is_refold: bool
    generation: int


class Live:
    """Folds learners through every analytic that follows the log, lowest first."""

    def __init__(self, database: Database, analytics: Sequence[Analytic]) -> None:
        self._database = database
        self._folds = [analytic.live for analytic in analytics if analytic.live is not None]
        self._tables = [found for analytic in analytics for found in analytic.tables]
        self._parameters = ParameterStore(Shelf(database.settings.home))

    async def catch_up(self, user_id: UUID) -> CaughtUp:
        """Fold what is marked for the learner, in one transaction: a reader sees all of it or nothing.

        Errors: what a fold raises, with the marks still there; Unavailable when the database is away.
        """
        # Not durable: where a crash undoes a fold, its marks are back as well, and the fold is made again.
        async with self._database.write(user_id=user_id, is_durable=False) as session:
            return await self.catch_up_in(session, user_id)

    async def catch_up_in(self, session: WriteSession, user_id: UUID) -> CaughtUp:
        """The same inside a transaction of the caller's."""
        await learners.lock(session, user_id)
        row, taken = await learners.read_behind(session, user_id)
        if not taken and not row.is_stale:
            return CaughtUp(0, False, row.generation)
        caught = await self._follow(session, user_id, row, taken)
        await marks.delete(session, taken)
        return caught

    async def refold_under(self, user_id: UUID, version: str) -> bool:
        """Fold a learner under other parameters from now on; False where they are already, or were never folded."""
        async with self._database.write(user_id=user_id) as session:
            await learners.lock(session, user_id)
            row, taken = await learners.read_behind(session, user_id)
            if row.version is None or row.version == version:
                return False
            await self.refold_in(session, user_id, replace(row, version=version))
            await marks.delete(session, taken)
            return True

    async def trace_in(self, session: WriteSession, user_id: UUID, parameters: Parameters) -> list[Traced]:
        """What was known before each of a learner's answers, by the fold that serves; for tables that are shadows."""
        traced: list[Traced] = []
        row = replace(await learners.read(session, user_id), settled_as_of=None)
        with collector_at_rest():
            await self._refold(session, user_id, row, parameters, traced)
        return traced

    async def refold_in(self, session: WriteSession, user_id: UUID, row: LearnerRow) -> CaughtUp:
        """Fold the learner's whole log again, or all after the last checkpoint, stopping where rows were settled."""
        version = row.version or await self._parameters.current_version(session)
        parameters = await self._parameters.get(session, version)
        with collector_at_rest():
            return await self._refold(session, user_id, row, parameters)

    async def _refold(
        self,
        session: WriteSession,
        user_id: UUID,
        row: LearnerRow,
        parameters: Parameters,
        traced: list[Traced] | None = None,
    ) -> CaughtUp:
        told = frozenset[tuple[str, str]]() if traced is not None else await predictions.told(session, user_id)
        kept = await checkpoints.latest(session, user_id, CHECKPOINT)
        events = await read_after(session, user_id, None if kept is None else kept.cursor)
        regraded = regrades(events)
        settled = row.settled_as_of
        before = [event for event in events if settled is not None and event.event_ts <= settled]
        parts = [(before, True), (events[len(before) :], False)] if settled is not None else [(events, False)]
        states: dict[str, object] = {}
        generation = await self._fold(session, user_id, row, parameters, (), states=states, is_fresh=True, regraded={})
        if kept is not None:
            states.update(await restore(session, self._tables, kept, states))
        at = replace(row, cursor=None if kept is None else kept.cursor)
        for part, is_settled_after in parts:
            generation = await self._fold(
                session,
                user_id,
                at,
                parameters,
                part,
                states=states,
                is_fresh=False,
                regraded=regraded,
                told=told,
                traced=traced,
            )
            if is_settled_after:
                await self._settle(session, user_id, row, parameters)
            at = replace(at, cursor=_last(part) or at.cursor)
        return CaughtUp(len(events), True, generation)

    async def fold_until(self, session: WriteSession, user_id: UUID, row: LearnerRow, until: datetime) -> Cursor | None:
        """Fold everything before an instant into empty tables, from the last checkpoint on; gives the last event."""
        if row.version is None:
            return None
        parameters = await self._parameters.get(session, row.version)
        kept = await checkpoints.latest(session, user_id, CHECKPOINT)
        found = await read_after(session, user_id, None if kept is None else kept.cursor, until)
        events = [event for event in found if event.event_ts < until]
        if not events:
            return None
        states = dict[str, object]()
        at = replace(row, settled_as_of=None, cursor=None)
        await self._fold(session, user_id, at, parameters, (), states=states, is_fresh=True, regraded={})
        if kept is not None:
            states.update(await restore(session, self._tables, kept, states))
        at = replace(row, settled_as_of=None, cursor=None if kept is None else kept.cursor)
        regraded = regrades(await read_after(session, user_id, None if kept is None else kept.cursor))
        await self._fold(session, user_id, at, parameters, events, states=states, is_fresh=False, regraded=regraded)
        return _last(events)

    async def _follow(self, session: WriteSession, user_id: UUID, row: LearnerRow, taken: Sequence[Mark]) -> CaughtUp:
        if row.is_stale or row.cursor is None or row.version is None or _came_late(row, taken):
            return await self.refold_in(session, user_id, row)
        events = await read_after(session, user_id, row.cursor)
        if any(event.event_type == REGRADE for event in events):
            return await self.refold_in(session, user_id, row)
        parameters = await self._parameters.get(session, row.version)
        generation = await self._fold(
            session, user_id, row, parameters, events, states=dict(row.states), is_fresh=False, regraded={}
        )
        return CaughtUp(len(events), False, generation)

    async def _fold(
        self,
        session: WriteSession,
        user_id: UUID,
        row: LearnerRow,
        parameters: Parameters,
        events: Sequence[LoggedEvent],
        *,
        states: dict[str, object],
        is_fresh: bool,
        regraded: Mapping[UUID, bool],
        told: frozenset[tuple[str, str]] = frozenset(),
        traced: list[Traced] | None = None,
    ) -> int:
        """Hand a batch to every fold in turn and store how far the learner is; gives the new generation.

        A forecast that is `told` already stands as it was first made, whatever a later fold would have said.
        """
        batch = Batch(
            user_id=user_id,
            events=events,
            is_fresh=is_fresh,
            settings=row.settings,
            parameters=parameters,
            items=await items_of(session, user_id, events),
            material_topics=await material_topics_of(session, events),
            regraded=regraded,
            states=states,
            catalogue=row.catalogue,
            told=told,
            traced=traced,
        )
        for fold in self._folds:
            await fold.fold(session, batch)
        made = [one for one in batch.predictions if (one.task, one.about) not in told]
        written = (predictions.WRITE, predictions.rows(user_id, made))
        await write_together(session, [*batch.writes, written])
        last = _last(events) or (None if is_fresh else row.cursor)
        return await learners.write(
            session,
            user_id,
            cursor=last,
            settled_as_of=row.settled_as_of,
            version=parameters.version,
            states=states,
        )

    async def _settle(self, session: WriteSession, user_id: UUID, row: LearnerRow, parameters: Parameters) -> None:
        if row.settled_as_of is not None:
            moments = Moments([user_id], [row.settled_as_of])
            for fold in self._folds:
                await fold.settle(session, moments, parameters)


def _last(events: Sequence[LoggedEvent]) -> Cursor | None:
    return Cursor(events[-1].event_ts, events[-1].event_id) if events else None


def _came_late(row: LearnerRow, taken: Sequence[Mark]) -> bool:
    """Whether a marked event may lie at or before what is folded, or before the rows' own instant."""
    oldest = min((mark.min_event_ts for mark in taken), default=None)
    if oldest is None or row.cursor is None:
        return True
    return oldest <= row.cursor.event_ts or (row.settled_as_of is not None and oldest <= row.settled_as_of)


def regrades(events: Sequence[LoggedEvent]) -> dict[UUID, bool]:
    """Corrected outcomes by attempt: the highest version of the key decides, then the later event."""
    found: dict[UUID, tuple[int, bool]] = {}
    for event in events:
        if event.event_type == REGRADE:
            data: Mapping[str, Any] = event.data
            attempt = UUID(data["attempt_event_id"])
            if attempt not in found or data["key_version"] >= found[attempt][0]:
                found[attempt] = (data["key_version"], data["is_correct"])
    return {attempt: is_correct for attempt, (_, is_correct) in found.items()}
