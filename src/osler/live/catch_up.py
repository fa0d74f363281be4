"""Brings one learner's live rows up to the log: folds what is new, or all again when something came late.

Marks decide, never a cursor alone: the order of commits is not the order of time. Marks are taken in the statement that
reads the events, or before it, so that a mark is never deleted whose events were not folded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from osler.analytics.contract import Analytic, Batch, Moments, Traced
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.db.upsert import write_together
from osler.domain.events import Cursor, LoggedEvent
from osler.eventlog import checkpoints, learner_locks, marks, reading
from osler.eventlog.checkpoints import Checkpoint
from osler.eventlog.collector import collector_at_rest
from osler.eventlog.reading import Reached
from osler.forecasts import predictions
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.forecasts.shelf import Shelf
from osler.live import learners
from osler.live.gathering import REGRADE, Answers, Gathering, Stretch
from osler.live.held import Held, Holding
from osler.live.learners import LearnerRow
from osler.live.restoring import CHECKPOINT, restore


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a catch-up did: events folded (0 when there was nothing), whether all again, and the generation now.

    `batch` is what was folded on top of what was there, with all that the folds share, `row` how it left the learner.
    """

    events: int
    is_refold: bool
    generation: int
    batch: Batch | None = None
    row: LearnerRow | None = None


@dataclass(slots=True)
class _Work:
    """A learner on the way through stretches of log: under what, and how far by now."""

    row: LearnerRow
    parameters: Parameters
    states: dict[str, object] = field(default_factory=dict[str, object])
    regraded: Mapping[UUID, bool] = field(default_factory=dict[UUID, bool])
    told: Mapping[str, Collection[str]] = field(default_factory=dict[str, "Collection[str]"])
    traced: list[Traced] | None = None
    cursor: Cursor | None = None
    generation: int = field(init=False)

    def __post_init__(self) -> None:
        self.generation = self.row.generation


class Live:
    """Folds learners through every analytic that follows the log, lowest first."""

    def __init__(self, database: Database, analytics: Sequence[Analytic]) -> None:
        self._database = database
        self._folds = [analytic.live for analytic in analytics if analytic.live is not None]
        self._tables = [found for analytic in analytics for found in analytic.tables]
        self._gathering = Gathering(self._folds)
        self._holding = Holding()
        self._parameters = ParameterStore(Shelf(database.settings.home))

    async def catch_up(self, user_id: UUID) -> CaughtUp:
        """Fold what is marked for the learner, in one transaction: a reader sees all of it or nothing.

        Errors: what a fold raises, with the marks still there; Unavailable when the database is away.
        """
        # Not durable: where a crash undoes a fold, its marks are back as well, and the fold is made again.
        lock = learner_locks.SPACE, learner_locks.key(user_id)
        async with self._database.write(user_id=user_id, is_durable=False, keeps_plans=True, lock=lock) as session:
            caught = await self._catch_up(session, user_id, self._holding.of(user_id))
        if caught.batch is not None and caught.row is not None:
            self._holding.put(caught.row, caught.batch)
        return caught

    async def catch_up_in(self, session: WriteSession, user_id: UUID) -> int:
        """The same inside a transaction of the caller's; gives the events folded."""
        await learner_locks.hold(session.driver(), [user_id])
        return (await self._catch_up(session, user_id)).events

    async def refold_under(self, session: WriteSession, user_id: UUID, version: str) -> int:
        """Fold a learner under other parameters from now on; 0 events where they are already, or were never folded."""
        await learner_locks.hold(session.driver(), [user_id])
        row = await learners.read(session, user_id)
        if row.version is None or row.version == version:
            return 0
        taken = await marks.take(session, user_id, marks.LIVE)
        caught = await self.refold_in(session, user_id, replace(row, version=version))
        await marks.delete(session, taken)
        return caught.events

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
        if row.is_outdated:  # what older code counted is no better than what it folded
            await marks.mark_learner(session, user_id)
        with collector_at_rest():
            return await self._refold(session, user_id, row, parameters)

    async def fold_until(self, session: WriteSession, user_id: UUID, row: LearnerRow, until: datetime) -> Cursor | None:
        """Fold everything before an instant into empty tables, from the last checkpoint on; gives the last event."""
        if row.version is None:
            return None
        parameters = await self._parameters.get(session, row.version)
        kept = await checkpoints.latest(session, user_id, CHECKPOINT)
        after = None if kept is None else kept.cursor
        _, reached = await reading.reached(session, user_id, after, until - timedelta(microseconds=1))
        if reached is None:
            return None
        events = await reading.read_after(session, user_id, after, types=self._gathering.event_types)
        work = _Work(replace(row, settled_as_of=None, cursor=None), parameters)
        await self._begin_anew(session, user_id, work, kept)
        work.regraded = regrades(events)
        before = [event for event in events if event.event_ts < until]
        await self._fold_stretch(session, user_id, work, before, reached)
        return reached.cursor

    async def _catch_up(self, session: WriteSession, user_id: UUID, held: Held | None = None) -> CaughtUp:
        opened = await self._gathering.open(session, user_id, await self._database.now(), held)
        row, stretch = opened.row, opened.stretch
        if not opened.marks and not row.is_stale:
            return CaughtUp(0, False, row.generation)
        regraded = any(event.event_type == REGRADE for event in stretch.events)
        if not opened.is_ahead or row.version is None or regraded:
            return await self.refold_in(session, user_id, row)
        work = _Work(row, await self._parameters.get(session, row.version), dict(row.states))
        batch = await self._fold(session, user_id, work, stretch, held=opened.held)
        left = replace(row, cursor=work.cursor, states=work.states, generation=work.generation)
        return CaughtUp(opened.events, False, work.generation, batch, left)

    async def _refold(
        self,
        session: WriteSession,
        user_id: UUID,
        row: LearnerRow,
        parameters: Parameters,
        traced: list[Traced] | None = None,
    ) -> CaughtUp:
        kept = await checkpoints.latest(session, user_id, CHECKPOINT)
        after = None if kept is None else kept.cursor
        n, reached = await reading.reached(session, user_id, after)
        until = reached.cursor.event_ts if reached else None
        events = await reading.read_after(session, user_id, after, until, types=self._gathering.event_types)
        told = {} if traced is not None else await predictions.told(session, user_id)
        work = _Work(row, parameters, regraded=regrades(events), told=told, traced=traced)
        await self._begin_anew(session, user_id, work, kept)
        if row.settled_as_of is not None:
            before = [event for event in events if event.event_ts <= row.settled_as_of]
            _, settled = await reading.reached(session, user_id, after, row.settled_as_of)
            await self._fold_stretch(session, user_id, work, before, settled)
            await self._settle(session, user_id, row, parameters)
            events, reached = events[len(before) :], None if reached == settled else reached
        await self._fold_stretch(session, user_id, work, events, reached)
        return CaughtUp(n, True, work.generation)

    async def _begin_anew(self, session: WriteSession, user_id: UUID, work: _Work, kept: Checkpoint | None) -> None:
        """Have the folds forget the learner, and put back what a checkpoint holds."""
        await self._fold(session, user_id, work, Stretch(), is_fresh=True)
        if kept is not None:
            work.states.update(await restore(session, self._tables, kept, work.states, work.row.settings))
            work.cursor = kept.cursor

    async def _fold_stretch(
        self, session: WriteSession, user_id: UUID, work: _Work, events: Sequence[LoggedEvent], reached: Reached | None
    ) -> None:
        """Fold a stretch of log that was read before, with what folds read together with events."""
        stretch = Stretch(events, reached)
        if reached is not None:
            answers = await self._gathering.beside(session, user_id, reached.cursor.event_ts)
            stretch = replace(stretch, answers=answers)
        await self._fold(session, user_id, work, stretch)

    async def _fold(
        self,
        session: WriteSession,
        user_id: UUID,
        work: _Work,
        stretch: Stretch,
        *,
        is_fresh: bool = False,
        held: Answers | None = None,
    ) -> Batch:
        """Hand a stretch to every fold in turn, and store the rows with how far the learner is, in one statement."""
        items, answers = stretch.items, stretch.answers
        if items is None:
            items, of_items = await self._gathering.of_items(session, user_id, stretch.events)
            answers = {**answers, **of_items}
        batch = Batch(
            user_id=user_id,
            events=stretch.events,
            is_fresh=is_fresh,
            settings=work.row.settings,
            parameters=work.parameters,
            items=items,
            regraded=work.regraded,
            states=work.states,
            reached=stretch.reached,
            readings=answers,
            held=held or {},
            catalogue=work.row.catalogue,
            told=work.told,
            traced=work.traced,
        )
        for fold in self._folds:
            await fold.fold(session, batch)
        # A forecast that is told already stands as it was first made, whatever a later fold would have said.
        made = [one for one in batch.predictions if one.about not in work.told.get(one.task, ())]
        work.cursor = stretch.reached.cursor if stretch.reached else None if is_fresh else work.cursor
        work.generation = await write_together(
            session,
            [*batch.writes, (predictions.WRITE, predictions.rows(user_id, made))],
            learners.WRITE,
            learners.written(
                user_id,
                work.cursor,
                settled_as_of=work.row.settled_as_of,
                version=work.parameters.version,
                states=work.states,
                generation=work.generation,
            ),
        )
        return batch

    async def _settle(self, session: WriteSession, user_id: UUID, row: LearnerRow, parameters: Parameters) -> None:
        if row.settled_as_of is not None:
            moments = Moments([user_id], [row.settled_as_of])
            for fold in self._folds:
                await fold.settle(session, moments, parameters)


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
