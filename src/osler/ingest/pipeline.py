"""A request's events from the wire into the log: decode, steps, one transaction, an answer for each."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from osler.clock import monotonic_seconds
from osler.db.engine import Database
from osler.db.faults import retrying, translated
from osler.domain.clock_rules import instant_of, parse_instant, us_of
from osler.domain.event_types import EVENT_TYPES, QUESTION_TYPES, Body
from osler.domain.outcomes import Code, EventProblem, Status
from osler.errors import TooMany
from osler.eventlog.append import CatalogChanged, Connection, LearnerChanged
from osler.eventlog.entries import Batch, Rows
from osler.eventlog.lookups import started_sessions
from osler.eventlog.tombstones import KEY_NAME
from osler.ingest.catalog_view import CatalogView
from osler.ingest.columns import Columns
from osler.ingest.decoding import Read, UnreadableBatch
from osler.ingest.learners import KnownLearners
from osler.ingest.limits import IMPORT_YEARS, MAX_LEARNERS, BatchTooLarge
from osler.ingest.passing import after_lookups, before_lookups, candidates
from osler.ingest.rates import EventBuckets, of_addresses
from osler.ingest.settling import abort, answer, drop_repeats, in_order, store_all_or_nothing
from osler.ingest.storing import store
from osler.ingest.wire import Envelope
from osler.ingest.work import Candidates, Context, Outcome, Ready, Sender
from osler.observe import metrics
from osler.observe.keys import secret_key

SESSIONS_KEPT = 50_000
TRIES = 5
LAST_MS = 4_102_444_800_000  # 2100: ids are looked at before their time has been checked
Session = tuple[str, str]
Turn = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request: what was newly stored of it, and the outcomes of all others by place."""

    received_at: datetime
    clock_skew_ms: int | None
    accepted: Ready
    others: Mapping[int, Outcome]

    @property
    def outcomes(self) -> list[Outcome]:
        """An outcome for each event, in order."""
        stored = zip(self.accepted.places, self.accepted.rows.event_id, self.accepted.warnings, strict=True)
        made = {place: Outcome(place, id_, Status.ACCEPTED, list(warnings)) for place, id_, warnings in stored}
        made |= self.others
        return [made[place] for place in range(len(made))]

    def counts(self) -> dict[str, int]:
        """How many events had each status; they sum up to what was received."""
        statuses = [outcome.status for outcome in self.others.values()]
        counted = {status.value: statuses.count(status) for status in Status}
        counted[Status.ACCEPTED.value] += len(self.accepted)
        return counted


class Ingestion:
    """The way in, one for each process and database: it keeps the catalogue's keys and the rates in memory."""

    def __init__(self, db: Database) -> None:
        metrics.declare_event_types(EVENT_TYPES)
        self.db = db
        self.catalog = CatalogView()
        self.learners = KnownLearners()
        self.buckets = EventBuckets()
        self.addresses = of_addresses()
        self._key = secret_key(db.settings.home, KEY_NAME)
        self._sessions: OrderedDict[Session, None] = OrderedDict()

    async def take(
        self,
        reads: Sequence[Read],
        envelope: Envelope | None,
        sender: Sender,
        *,
        columns: Columns | None = None,
        atomic: bool = False,
        turn: Turn | None = None,
    ) -> Taken:
        """Take the events of one request. `columns` are the same events taken apart, where that is done already.

        `turn` is awaited before anything is stored.

        Errors: BatchTooLarge, TooMany, Unavailable (nothing is known to be stored), UnreadableBatch.
        """
        began = monotonic_seconds()
        ctx, sent_at = await self._context(envelope, sender)
        outcomes: dict[int, Outcome] = {}
        alive = before_lookups(candidates(reads, columns, outcomes), ctx, outcomes)
        users = list(dict.fromkeys(alive.user_ids))
        if len(users) > MAX_LEARNERS and not sender.is_import:
            raise BatchTooLarge("A batch may hold events of 200 learners.", code="batch.too_many_learners")
        self._limit_rates(alive, users, ctx)
        batch = Batch(
            Rows(), instant_of(ctx.received_us), sent_at, _ms_of(ctx.skew_us) if sent_at else None,
            envelope.device_id if envelope else None,
        )  # fmt: skip
        accepted = Ready()
        if len(alive):
            with translated():
                accepted = await retrying(lambda: self._settle(alive, ctx, batch, outcomes, atomic=atomic, turn=turn))
        elif atomic:
            abort(outcomes)
        taken = Taken(batch.received_at, batch.clock_skew_ms, accepted, outcomes)
        _measure(taken, monotonic_seconds() - began)
        return taken

    async def _context(self, envelope: Envelope | None, sender: Sender) -> tuple[Context, datetime | None]:
        now = await self.db.now()
        received_us = us_of(now)
        days = 366 * IMPORT_YEARS if sender.is_import else round(self.db.settings.retention_months * 30.4375)
        ctx = Context(sender, received_us, 0, us_of(now - timedelta(days=days)) // 1000)
        if envelope is None or not envelope.sent_at:
            return ctx, None
        try:
            sent = parse_instant(envelope.sent_at)
        except EventProblem as problem:
            raise UnreadableBatch("sent_at must be a time with an offset.", code=problem.code.value) from None
        ctx.skew_us = received_us - sent.us
        ctx.boot_id, ctx.sent_monotonic_ms = envelope.boot_id, envelope.sent_monotonic_ms
        return ctx, instant_of(sent.us)

    def _limit_rates(self, alive: Candidates, users: list[str], ctx: Context) -> None:
        """A learner's own request is refused as a whole; a service's goes on without that learner's events.

        Whatever came from an address that has sent too much is refused as a whole.
        """
        if ctx.sender.is_import or not ctx.sender.is_limited:
            return
        at, address = monotonic_seconds(), ctx.sender.address
        if address and not self.addresses.take(address, len(alive), at):
            seconds = self.addresses.seconds_until(address, len(alive))
            raise TooMany("Too many events at once.", code="rate.events", retry_after_seconds=seconds)
        if len(users) == 1:
            over = [] if self.buckets.take(users[0], len(alive), at) else users
        else:
            over = [user for user, size in Counter(alive.user_ids).items() if not self.buckets.take(user, size, at)]
        if over and ctx.sender.user_id is not None:
            seconds = self.buckets.seconds_until(over[0], len(alive))
            raise TooMany("Too many events at once.", code="rate.events", retry_after_seconds=seconds)
        ctx.over_rate = frozenset(over)

    async def _settle(
        self,
        alive: Candidates,
        ctx: Context,
        batch: Batch,
        outcomes: dict[int, Outcome],
        *,
        atomic: bool,
        turn: Turn | None,
    ) -> Ready:
        """Look up, conclude, store; again when what was looked up is so no longer. Fills in the outcomes."""
        for _ in range(TRIES):
            found = dict(outcomes)
            try:
                async with self.db.ingest_pool.acquire(timeout=self.db.settings.pool_wait_seconds) as connection:
                    accepted = await self._attempt(connection, alive, ctx, batch, found, atomic=atomic, turn=turn)
            except CatalogChanged:
                self.catalog.forget()
                continue
            except LearnerChanged:
                self.learners.forget(ctx.learners)
                continue
            outcomes.update(found)
            return accepted
        raise CatalogChanged("The catalogue or a learner keeps changing; try again.")

    async def _attempt(
        self,
        connection: Connection,
        alive: Candidates,
        ctx: Context,
        batch: Batch,
        outcomes: dict[int, Outcome],
        *,
        atomic: bool,
        turn: Turn | None,
    ) -> Ready:
        settings = self.db.settings
        users = list(dict.fromkeys(alive.user_ids))
        ctx.learners = await self.learners.find(connection, users, ctx.sender, settings.timezone)
        groups = alive.columns.groups
        questions = {each for g in groups if g.kind.name in QUESTION_TYPES for each in g.given("question_id")}
        materials = {each for g in groups if g.kind.body is Body.MATERIAL for each in g.given("material_id")}
        version = await self.catalog.look_up(connection, questions, materials)
        ctx.grades, ctx.materials = self.catalog.grades, self.catalog.materials
        ctx.sessions = await self._started(connection, alive, ctx)
        ready = in_order(drop_repeats(after_lookups(alive, ctx, outcomes), outcomes))
        batch = replace(
            batch,
            rows=ready.rows,
            catalog_version=version if questions else None,
            create=sorted(UUID(user) for user, learner in ctx.learners.items() if learner.is_new) if len(ready) else (),
            homes={user: learner.stored for user, learner in ctx.learners.items()},
        )
        if turn is not None:
            await turn()
        options: dict[str, Any] = {"key": self._key, "failpoint": settings.failpoint}
        if not atomic:
            return answer(ready, await store(connection, batch, **options), outcomes)
        return await store_all_or_nothing(connection, batch, ready, outcomes, options)

    async def _started(self, connection: Connection, alive: Candidates, ctx: Context) -> set[Session]:
        """Sessions that are known to have begun: in this request, lately in this process, or in the log."""
        columns = alive.columns
        session_ids = columns.session_ids
        if session_ids.count(None) == len(session_ids):
            return set()
        named = {(user, session) for user, session in zip(alive.user_ids, session_ids, strict=True) if session}
        begun = [place for g in columns.groups if g.kind.name == "session_start" for place in g.places]
        starts = {(alive.user_ids[place], session) for place in begun if (session := session_ids[place])}
        unknown = [each for each in named - starts if each not in self._sessions]
        if unknown and not ctx.sender.is_import:
            oldest = min(LAST_MS, *(int(each[:8] + each[9:13], 16) for each in columns.ids))
            starts |= await started_sessions(connection, unknown, instant_of(oldest * 1000))
        for each in starts:
            self._sessions[each] = None
        while len(self._sessions) > SESSIONS_KEPT:
            self._sessions.popitem(last=False)
        return named if ctx.sender.is_import else {each for each in named if each in starts or each in self._sessions}


_BY_DATABASE: WeakKeyDictionary[Database, Ingestion] = WeakKeyDictionary()


def ingestion_of(db: Database) -> Ingestion:
    """The way into a database, the same one for everybody in this process."""
    found = _BY_DATABASE.get(db)
    if found is None:
        found = _BY_DATABASE[db] = Ingestion(db)
    return found


def _ms_of(us: int) -> int:
    return us // 1000


def _measure(taken: Taken, seconds: float) -> None:
    for status, count in taken.counts().items():
        if count:
            metrics.ingest_events.labels(status).inc(count)
    conflicts = [each.code for each in taken.others.values()].count(Code.CONFLICT_STORED)
    if conflicts:
        metrics.security_events.labels("conflict_stored").inc(conflicts)
    metrics.ingest_batch_seconds.observe(seconds)
