"""A class of simulated learners, sent the real way in: bank and class into the catalogue, events into the log.

Running it again sends the same events, which Osler answers with `duplicate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.analytics.readiness.tables import exam_outcomes
from osler.catalog import items, writes
from osler.catalog.consents import Purpose
from osler.catalog.tables import cohort_members, cohorts, exam_blueprint, exams, users
from osler.db.engine import Database, ReadSession, WriteSession
from osler.errors import Conflict, NotFound
from osler.eventlog.erased import erased
from osler.eventlog.tombstones import KEY_NAME
from osler.ingest.intake import ingest_events
from osler.observe.keys import secret_key
from osler.simulate.bank import OPTIONS, Bank, make_bank
from osler.simulate.learner import SimLearner

COHORT_PREFIX = "sample-class."
EXAM_IS_OVER_EVERY = 4
MINUTES_PLANNED = (45, 60, 60, 60, 45, 90, 30)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SampleClass:
    """The class as it stands in the database, and how many events were sent and stored now.

    `erased` are those of the plan's people who were erased since: nobody can sign in as one of them.
    """

    learners: tuple[UUID, ...]
    educator: UUID
    admin: UUID
    sent: int = 0
    stored: int = 0
    refused: dict[str, int] = field(default_factory=dict[str, int])
    erased: frozenset[UUID] = frozenset()

    @property
    def everybody(self) -> tuple[UUID, ...]:
        """Learners, educator, administrator."""
        return (*self.learners, self.educator, self.admin)

    def without(self, erased: Collection[UUID]) -> SampleClass:
        """The class without the learners among the erased; whoever else of them was in it cannot sign in."""
        learners = tuple(user_id for user_id in self.learners if user_id not in erased)
        return replace(self, learners=learners, erased=frozenset(erased))


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """How large a class, and from which seed. `end` is the last instant that anything may happen at.

    An erased learner is never collected again, so a class that is begun anew is another `edition` with new people.
    """

    learners: int
    days: int
    density: float
    seed: int
    end: datetime
    edition: int = 1
    begun_on: date | None = None

    @property
    def first_day(self) -> date:
        """The first day of study: a class that was begun on an earlier day is gone on with as it was begun."""
        return self.begun_on or self.end.date() - timedelta(days=self.days - 1)

    def pseudonym(self, who: str) -> UUID:
        """A pseudonym that follows from the plan, so that a second run finds the same people."""
        text = f"osler sample:{self.seed}:{self.edition}:{who}"
        return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4)

    def people(self) -> SampleClass:
        """Who the class is, without asking the database."""
        ids = tuple(self.pseudonym(str(index)) for index in range(self.learners))
        return SampleClass(ids, self.pseudonym("educator"), self.pseudonym("admin"))

    @property
    def cohort_id(self) -> str:
        """The cohort that the class is."""
        return f"{COHORT_PREFIX}{self.edition}"


@dataclass(frozen=True, slots=True)
class Existing:
    """The class that is here: whose events were sent, who else belongs to it, and since when they study.

    `educator` and `begun_on` are None once those who could tell were erased.
    """

    edition: int
    learners: tuple[UUID, ...]
    educator: UUID | None
    everybody: tuple[UUID, ...]
    begun_on: date | None

    def people(self, asked: SampleClass) -> SampleClass:
        """The class where another was `asked` for, whose educator and administrator stand in for those not found."""
        rest = set(self.everybody) - {*self.learners, self.educator}
        return SampleClass(
            self.learners, self.educator or asked.educator, rest.pop() if len(rest) == 1 else asked.admin
        )

    def is_of(self, plan: ClassPlan, erased: Collection[UUID]) -> bool:
        """Whether that plan made it, as far as can be told: as many learners from the same seed, but for the erased."""
        return set(plan.people().everybody).difference(erased) == set(self.everybody)


_MOST_TOLD_FIRST = """
select u.user_id from unnest(cast(:users as uuid[])) with ordinality as u(user_id, place)
  left join user_exams e on e.user_id = u.user_id and e.is_current
  left join exam_projections p on p.user_id = u.user_id and p.exam_id = e.exam_id
 order by e.exam_on > current_date desc nulls last, p.coverage desc nulls last, u.place
"""


async def most_told_first(session: ReadSession, learners: Sequence[UUID]) -> tuple[UUID, ...]:
    """The learners, those first whose pages have most to show: an exam ahead, and much of it practised."""
    rows = await session.rows(sa.text(_MOST_TOLD_FIRST), {"users": list(learners)})
    return tuple(row["user_id"] for row in rows)


async def editions(session: ReadSession) -> int:
    """How many classes have been begun here, those that were erased too."""
    chosen = sa.select(sa.func.count()).select_from(cohorts).where(cohorts.c.cohort_id.startswith(COHORT_PREFIX))
    return int(await session.scalar(chosen) or 0)


async def existing_class(session: ReadSession) -> Existing | None:
    """The class that was begun last, whole or not; None before the first, and once everybody of it was erased."""
    everybody = await session.rows(sa.select(users.c.user_id).where(users.c.is_sample))
    if not everybody:
        return None
    edition = await editions(session)
    members = await session.rows(
        sa.select(cohort_members.c.user_id, cohort_members.c.role, cohort_members.c.since_on)
        .where(cohort_members.c.cohort_id == f"{COHORT_PREFIX}{edition}")
        .order_by(cohort_members.c.user_id)
    )
    return Existing(
        edition,
        tuple(row["user_id"] for row in members if row["role"] == "learner"),
        next((row["user_id"] for row in members if row["role"] == "educator"), None),
        tuple(row["user_id"] for row in everybody),
        min((row["since_on"] for row in members), default=None),
    )


async def send_class(db: Database, plan: ClassPlan, progress: Progress = lambda _: None) -> SampleClass:
    """Make the class and send everything that it has done. Whoever of it was erased meanwhile stays out of it.

    Errors: NotFound when no curriculum is loaded; Conflict when an event was not taken, as the simulator sends only
    what a real client may send.
    """
    people = plan.people()
    key = secret_key(db.settings.home, KEY_NAME)
    async with db.read(primary=True) as session:
        exam = await _exam(session)
    bank = make_bank(sorted(exam.shares), plan.seed)
    async with db.write() as session:
        await _write_bank(session, bank)
        gone = await erased(session, people.everybody, key)
        await _write_people(session, people.without(gone), plan, exam.exam_id)
    sent = stored = 0
    for index, user_id in enumerate(people.learners):
        if user_id in gone:
            progress(1)
            continue
        learner = SimLearner(index, plan.seed, bank, density=plan.density)
        async with db.write() as session:
            await _write_learner(session, learner, user_id, plan, exam.exam_id)
        events = learner.study(plan.first_day, plan.days, plan.end)
        result = await ingest_events(db, events, user_id, import_window=False, keep_outcomes=False)
        if result.counts["accepted"] + result.counts["duplicate"] != len(events):
            raise Conflict(f"simulated events were not taken: {dict(result.codes)}", code="simulate.not_taken")
        async with db.write() as session:
            await _join(session, plan, user_id, "learner")
        sent, stored = sent + len(events), stored + result.counts["accepted"]
        if index % EXAM_IS_OVER_EVERY == EXAM_IS_OVER_EVERY - 1:
            async with db.write() as session:
                await _write_outcome(session, user_id, plan, exam, learner.exam_share(dict(exam.shares)))
        progress(1)
    return replace(people.without(gone), sent=sent, stored=stored)


@dataclass(frozen=True, slots=True)
class _Exam:
    """What the class prepares for."""

    exam_id: str
    shares: Mapping[str, float]
    cut: float
    question_count: int


async def _exam(session: ReadSession) -> _Exam:
    """The first exam that has a blueprint."""
    exam = await session.one(
        sa.select(exams.c.exam_id, exams.c.cut, exams.c.question_count)
        .where(exams.c.exam_id.in_(sa.select(exam_blueprint.c.exam_id)))
        .order_by(exams.c.exam_id)
        .limit(1)
    )
    if exam is None:
        raise NotFound("no curriculum is loaded: osler curriculum load usmle", code="curriculum.missing")
    mine = sa.select(exam_blueprint.c.topic_id, exam_blueprint.c.exam_share)
    rows = await session.rows(mine.where(exam_blueprint.c.exam_id == exam["exam_id"]))
    shares = {str(row["topic_id"]): float(row["exam_share"]) for row in rows}
    return _Exam(str(exam["exam_id"]), shares, float(exam["cut"] or 0.6), int(exam["question_count"]))


async def _write_bank(session: WriteSession, bank: Bank) -> None:
    questions = {q.question_id: q.topic_ids for each in bank.questions.values() for q in each}
    keys = {q.question_id: (q.key,) for each in bank.questions.values() for q in each}
    materials = {m.material_id: (m.kind, (m.topic_id,), m.minutes) for each in bank.materials.values() for m in each}
    new = await items.add_questions(session, questions, source="simulator", keys=keys, option_count=len(OPTIONS))
    new += await items.add_materials(session, materials)
    if new:
        await items.note_change(session, "sample class")


async def _write_people(session: WriteSession, people: SampleClass, plan: ClassPlan, exam_id: str) -> None:
    cohort = pg.insert(cohorts).values(cohort_id=plan.cohort_id, name="Sample class", exam_id=exam_id)
    await session.execute(cohort.on_conflict_do_nothing())
    for user_id in set(people.everybody) - people.erased:
        await writes.ensure_user(session, user_id, is_sample=True)
    if people.educator not in people.erased:
        await _join(session, plan, people.educator, "educator")


async def _join(session: WriteSession, plan: ClassPlan, user_id: UUID, role: str) -> None:
    """Make somebody a member: a learner once all of theirs was sent, so that a class that is not whole can be told."""
    row = {"cohort_id": plan.cohort_id, "user_id": user_id, "role": role, "since_on": plan.first_day}
    await session.execute(pg.insert(cohort_members).values(row).on_conflict_do_nothing())


async def _write_learner(
    session: WriteSession, learner: SimLearner, user_id: UUID, plan: ClassPlan, exam_id: str
) -> None:
    await writes.change_settings(session, user_id, {"time_zone": learner.truth.habits.zone})
    await writes.state_consent(session, user_id, Purpose.COHORT, given=True, at=plan.end)
    is_over = learner.truth.index % EXAM_IS_OVER_EVERY == EXAM_IS_OVER_EVERY - 1
    days = -2 if is_over else 18 + 7 * (learner.truth.index % 5)
    await writes.choose_exam(
        session,
        user_id,
        exam_id,
        exam_on=plan.end.date() + timedelta(days=days),
        minutes_per_day=MINUTES_PLANNED,
        goal_score=0.7,
    )
    cards = {card: (topic,) for topic, all_of_it in learner.bank.cards.items() for card in all_of_it}
    await items.map_cards(session, user_id, cards, mapped_by="simulator")


async def _write_outcome(session: WriteSession, user_id: UUID, plan: ClassPlan, exam: _Exam, share: float) -> None:
    """What came of the exam: as many right answers as the true share gives by chance."""
    rng = np.random.default_rng([plan.seed, user_id.int % (1 << 32)])
    score = int(rng.binomial(exam.question_count, share)) / exam.question_count
    row: dict[str, Any] = {
        "user_id": user_id,
        "exam_id": exam.exam_id,
        "exam_on": plan.end.date() - timedelta(days=2),
        "score": score,
        "passed": score >= exam.cut,
        "source": "simulator",
    }
    await session.execute(pg.insert(exam_outcomes).values(row).on_conflict_do_nothing())
