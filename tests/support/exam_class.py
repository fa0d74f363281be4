"""A class of simulated learners whose exams are over: studied night by night, as Osler would have seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from tests.support.learning import TOPICS, send
from tests.support.nightly import EXAM, enrol

from osler.analytics.contract import Days, Moments
from osler.analytics.readiness.analytic import ANALYTIC as READINESS
from osler.analytics.readiness.tables import exam_outcomes
from osler.analytics.registry import analytics
from osler.catalog import items
from osler.catalog.tables import catalog_versions, exams
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.simulate.bank import OPTIONS, Bank, make_bank
from osler.simulate.learner import SimLearner

SEED = 11
STUDY_DAYS = 32
SNAPSHOT_DAYS = (14, 7)
SHARES = {"cardio": 0.5, "renal": 0.3, "neuro": 0.2}
CUT = 0.85
QUESTIONS = 100


@dataclass(frozen=True)
class Sat:
    """One learner and their exam: what they did until then, and how much they truly knew on its day."""

    user_id: UUID
    exam_on: date
    events: list[dict[str, Any]]
    share: float

    @property
    def score(self) -> float:
        """As many right answers as the truth gives by chance."""
        rng = np.random.default_rng(self.user_id.int % 2**32)
        return int(rng.binomial(QUESTIONS, self.share)) / QUESTIONS

    def until(self, low: datetime, high: datetime) -> list[dict[str, Any]]:
        """The events between two instants."""
        return [e for e in self.events if low <= datetime.fromisoformat(e["occurred_at"]) < high]


async def prepare(database: Database) -> Bank:
    """The simulator's questions on the small catalogue's three topics; its exam must be there."""
    bank = make_bank(list(TOPICS), SEED)
    questions = {q.question_id: q.topic_ids for each in bank.questions.values() for q in each}
    keys = {q.question_id: (q.key,) for each in bank.questions.values() for q in each}
    materials = {m.material_id: (m.kind, (m.topic_id,), m.minutes) for each in bank.materials.values() for m in each}
    async with database.write() as s:
        await items.add_questions(s, questions, source="simulator", keys=keys, option_count=len(OPTIONS))
        await items.add_materials(s, materials)
        await s.execute(sa.insert(catalog_versions).values(what="simulator"))
        await s.execute(sa.update(exams).values(question_count=QUESTIONS, cut=CUT))
    return bank


def simulated(bank: Bank, count: int, exam_days: Sequence[date], *, density: float) -> list[Sat]:
    """Learners one after the other over the exam days, each with a month of study before."""
    made: list[Sat] = []
    for index in range(count):
        exam_on = exam_days[index % len(exam_days)]
        learner = SimLearner(index, SEED, bank, density=density)
        begins = datetime.combine(exam_on, time(), UTC)
        events = learner.study(exam_on - timedelta(days=STUDY_DAYS), STUDY_DAYS, begins)
        made.append(Sat(UUID(int=(0xE << 120) + index), exam_on, events, learner.exam_share(SHARES)))
    return made


async def live_through(database: Database, sat: Sequence[Sat]) -> None:
    """Send what they did up to each snapshot's night, run that night, and go on; then the rest."""
    for exam_on in sorted({one.exam_on for one in sat}):
        group = [one for one in sat if one.exam_on == exam_on]
        for one in group:
            await enrol(database, one.user_id, exam_on=exam_on)
        before = datetime.min.replace(tzinfo=UTC)
        for days in SNAPSHOT_DAYS:
            night = datetime.combine(exam_on - timedelta(days=days), time(6), UTC)
            await study(database, group, before, night)
            await night_of(database, group, night)
            before = night
        await study(database, group, before, datetime.max.replace(tzinfo=UTC))


async def study(database: Database, group: Sequence[Sat], low: datetime, high: datetime) -> None:
    """Send and fold what these learners did between two instants."""
    live = Live(database, analytics())
    for one in group:
        if events := one.until(low, high):
            await send(database, events, one.user_id)
            await live.catch_up(one.user_id)


async def night_of(database: Database, group: Sequence[Sat], as_of: datetime) -> None:
    """Count these learners' days and make readiness as of the instant, as the nightly jobs do."""
    pairs = [(one.user_id, one.exam_on - timedelta(days=n)) for one in group for n in range(STUDY_DAYS + 2)]
    moments = Moments([one.user_id for one in group], [as_of] * len(group))
    async with database.write() as s:
        for rollup in [rollup for analytic in analytics() for rollup in analytic.rollups]:
            await rollup.recount(s, Days([u for u, _ in pairs], [d for _, d in pairs]))
        for refresh in READINESS.refreshes:
            await refresh.refresh(s, moments)


async def record(database: Database, sat: Sequence[Sat]) -> None:
    """Tell how their exams went."""
    async with database.write() as s:
        for one in sat:
            row = {"user_id": one.user_id, "exam_id": EXAM, "exam_on": one.exam_on, "score": one.score,
                   "passed": one.score >= CUT, "source": "simulator"}  # fmt: skip
            await s.execute(sa.insert(exam_outcomes).values(row))
