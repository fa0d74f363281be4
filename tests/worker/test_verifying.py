"""A replay is equal at any moment: between any two jobs, while others work, and whatever has just been changed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, OTHER, answer, history, review, send
from tests.support.matrix import IS_FULL
from tests.support.nightly import EXAM, enrol, exam_catalogue, recently
from tests.support.planted import accepted_counts

from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale, fold_anew_who_knows
from osler.catalog import writes
from osler.catalog.consents import Purpose
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.eventlog import marks
from osler.ingest.intake import ingest_events
from osler.ingest.regrade import regrade
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.replay import as_json
from osler.privacy.erasure import erase
from osler.rollups.draining import drain
from osler.rollups.first_look import first_look
from osler.rollups.making import Making
from osler.settings import Settings
from osler.worker.night import Night, night_of
from osler.worker.verifying import PATIENCE_SECONDS, verify_now

pytestmark = pytest.mark.integration

BYSTANDER = UUID("5f0c0000-0000-4000-8000-000000000003")
FIRST = 75
"""Days ago that the learners began."""
STEPS = 60 if IS_FULL else 14
MOST_BESIDE_ONE_LOOK = 25
"""Then they rest until it has ended: on a machine that has little time for it, it would never meet them at rest."""
A_SLOW_MACHINES_SECONDS = 300.0
WEEKLY = {
    "fit_item_easiness", "fit_prior_variances", "fit_next_answer", "fit_learning_rate", "promote_fits", "fit_memory",
    "refold",
}  # fmt: skip


async def equal_now(database: Database, step: object, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Nothing differs, and nobody was left out."""
    found = as_json((await verify_now(database, patience_seconds=patience_seconds)).report)
    unequal = {name: table for name, table in found["tables"].items() if not _same(table)}  # type: ignore[attr-defined]
    assert found["equal"], f"{step} {unequal} {found['waiting']}"


def _same(table: dict[str, int]) -> bool:
    return not (table["missing"] or table["unexpected"] or table["different"])


async def two_learners(database: Database, days: int = 6) -> None:
    await exam_catalogue(database)
    for learner in (LEARNER, OTHER):
        await enrol(database, learner, exam_on=recently(-40).date())
        await send(database, history(days, start=recently(days)), learner)


async def test_it_is_equal_after_every_single_step_of_a_night(database: Database):
    await two_learners(database)
    night = night_of(database)
    yesterday = (await database.now()).date() - timedelta(days=1)
    for job in night.jobs:
        await night.run(job.name, yesterday)
    for number, job in enumerate(night.jobs):
        if number % 3 == 0:
            await send(database, [answer(recently(0) + timedelta(minutes=number), 900 + number, "q0", right=True)])
        await night.run(job.name)
        await equal_now(database, job.name)


async def test_a_night_without_new_events_owes_nothing_once_it_is_over_and_all_that_rests_on_a_step_in_between(
    database: Database,
):
    await two_learners(database)
    night, making = night_of(database), Making(analytics())
    await equal_now(database, "begun")

    async def owed() -> int:
        async with database.read(primary=True) as session:
            return len(await making.waiting(session, [LEARNER, OTHER]))

    seen = {}
    names = [job.name for job in night.jobs]
    for name in names[names.index("mastery") :]:
        await night.run(name, again=True)
        seen[name] = await owed()
    assert (seen["mastery"], seen["rolling"]) == (2, 2), "topics were carried on; rows that rest on them were not"
    assert seen["cohort"] == 0, "a whole night leaves nothing to do"


async def test_what_is_counted_before_it_is_folded_is_counted_again_after(database: Database):
    await two_learners(database)
    await equal_now(database, "begun")
    await send(database, [answer(recently(3) + timedelta(minutes=90), 950, "q2", right=True)])
    making = Making(analytics())
    async with database.write() as session:  # the ring of another process, between the append and the fold
        assert await making.hand_out(session)
    assert await drain(database, analytics()) > 0
    async with database.read(primary=True) as session:
        assert await marks.backlog(session, marks.ROLLUP) == 0
        assert await marks.backlog(session, marks.LIVE) == 1
    await Live(database, analytics()).catch_up(LEARNER)
    await equal_now(database, "folded")


async def test_a_day_counted_by_a_later_job_alone_is_handed_on_to_the_one_before(database: Database):
    """The week was summed, then the day of it was counted: the week is owed again."""
    await two_learners(database)
    night = night_of(database)
    await equal_now(database, "begun")
    await send(database, [answer(recently(3) + timedelta(minutes=90), 950, "q2", right=True)])
    for name in ("weekly_stats", "gaps", "daily_stats"):
        await night.run(name, again=True)
        await equal_now(database, name)


class Learning:
    """Everything that happens around learners, in any order."""

    def __init__(self, database: Database, settings: Settings, admin: Driver, seed: int) -> None:
        self.database, self.settings, self.admin = database, settings, admin
        self.chance = random.Random(seed)
        self.night: Night = night_of(database)
        self.live = Live(database, analytics())
        self.number, self.edge = 5_000, FIRST

    @property
    def learner(self) -> UUID:
        return self.chance.choice([LEARNER, OTHER])

    async def studies(self) -> None:
        """A few answers and reviews, often late; what is older than the checkpoint is refused."""
        made = []
        for _ in range(self.chance.randrange(1, 6)):
            self.number += 1
            at = recently(self.chance.randrange(FIRST)) + timedelta(minutes=self.chance.randrange(600))
            if self.chance.random() < 0.5:
                made.append(answer(at, self.number, f"q{self.chance.randrange(12)}", right=self.chance.random() < 0.6))
            else:
                made.append(review(at, self.number, f"c{self.chance.randrange(6)}", self.chance.randrange(1, 5)))
        await ingest_events(self.database, made, self.learner)

    async def folds(self) -> None:
        await self.live.catch_up(self.learner)

    async def job(self) -> None:
        """One job by itself, or two of which the second is cut off in the middle."""
        names = [job.name for job in self.night.jobs if job.name not in WEEKLY]
        await self.night.run(self.chance.choice(names), again=True)
        running = asyncio.ensure_future(self.night.run(self.chance.choice(names), again=True))
        await asyncio.sleep(self.chance.random() * 0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def fits(self) -> None:
        """Counts that won, or a fit of too few that lost; promoted; who is folded under them comes later, or not."""
        if self.chance.random() < 0.7:
            await accepted_counts(self.database, self.chance.randrange(1, 30) / 10.0)
        else:
            await self.night.run("fit_item_easiness", again=True)
        await self.night.run("promote_fits", again=True)

    async def refolds(self) -> None:
        await self.night.run(self.chance.choice(["refold", "fit_memory"]), again=True)

    async def exam(self) -> None:
        day = recently(-self.chance.randrange(10, 90)).date()
        minutes = self.chance.choice([None, [self.chance.randrange(120) for _ in range(7)]])
        async with self.database.write() as s:
            await writes.choose_exam(
                s, self.learner, EXAM, exam_on=day, minutes_per_day=minutes, goal_score=None
            )  # fmt: skip

    async def zone(self) -> None:
        zone = self.chance.choice(["Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland"])
        changed = self.learner
        async with self.database.write() as s:
            await writes.change_settings(s, changed, {"time_zone": zone, "desired_retention": 0.85})
            await declare_stale(s, [changed])

    async def consent(self) -> None:
        given = self.chance.random() < 0.5
        now = await self.database.now()
        async with self.database.write() as s:
            await writes.state_consent(s, self.learner, Purpose.WELLBEING, given=given, at=now)

    async def regrades(self) -> None:
        question, key = f"q{self.chance.randrange(12)}", self.chance.choice("AB")
        async with self.database.write() as s:
            await s.execute(
                sa.text("update questions set key = :key, key_version = key_version + 1 where question_id = :q"),
                {"key": [key], "q": question},
            )
            await s.execute(sa.text("insert into catalog_versions (what) values ('keys')"))
        await regrade(self.database, question)

    async def erases(self) -> None:
        await erase(self.settings, BYSTANDER)

    async def catalogue(self) -> None:
        """A material that nobody has read, and another prerequisite."""
        self.number += 1
        async with self.database.write() as s:
            await s.execute(
                sa.text("insert into materials (material_id, kind, topic_ids) values (:m, 'text', '{renal}')"),
                {"m": f"new{self.number}"},
            )
            await s.execute(sa.text("update exam_blueprint set exam_share = case topic_id when 'cardio' then 0.4 "
                                    "when 'renal' then 0.4 else 0.2 end"))  # fmt: skip
            await fold_anew_who_knows(s, ["renal"])
            await s.execute(sa.text("insert into catalog_versions (what) values ('materials')"))

    async def looks(self) -> None:
        await first_look(self.database, analytics(), self.learner)

    async def retains(self) -> None:
        """States are kept, and the months before leave the log."""
        first = recently(self.edge).date().replace(day=1)
        edge = (first + timedelta(days=32)).replace(day=1)
        if edge >= recently(5).date():
            return
        await draining.drain(self.database, self.live)
        at = recently(0).replace(year=edge.year, month=edge.month, day=1, hour=0)
        await checkpoint_before(self.database, analytics(), self.live, at.astimezone())
        for table in ("study_events", "question_attempts", "material_interactions"):
            await self.admin.execute(f"drop table if exists {table}_p{first:%Y_%m}")
        self.edge = (date.today() - edge).days

    @property
    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        often = [self.studies, self.studies, self.folds, self.job, self.job]
        return [
            *often, self.fits, self.refolds, self.exam, self.zone, self.consent, self.regrades, self.erases,
            self.catalogue, self.looks,
        ]  # fmt: skip


async def begun(database: Database, settings: Settings, admin: Driver, seed: int) -> Learning:
    await exam_catalogue(database)
    for learner in (LEARNER, OTHER, BYSTANDER):
        await enrol(database, learner, exam_on=recently(-40).date())
        await send(database, history(10, start=recently(FIRST if learner == LEARNER else 10)), learner)
    return Learning(database, settings, admin, seed)


@pytest.mark.parametrize("seed", range(12 if IS_FULL else 3))
async def test_it_is_equal_after_every_step_of_a_random_history(
    database: Database, settings: Settings, admin: Driver, seed: int
):
    learning = await begun(database, settings, admin, seed)
    told = []
    for number in range(STEPS):
        step = learning.chance.choice(learning.steps)
        told.append(step.__name__)  # type: ignore[attr-defined]
        await step()
        if number % 2 or learning.chance.random() < 0.3:
            await equal_now(database, (seed, told))
    await equal_now(database, (seed, told))


async def test_it_is_equal_while_others_study_fold_and_run_the_night(
    database: Database, settings: Settings, admin: Driver
):
    learning = await begun(database, settings, admin, 99)
    done, at, is_over = 0, [0], asyncio.Event()

    async def busy() -> None:
        nonlocal done
        while not is_over.is_set():
            if done - at[-1] < MOST_BESIDE_ONE_LOOK:
                await learning.chance.choice(learning.steps)()
                done += 1
            else:
                await asyncio.sleep(0.01)

    working = asyncio.ensure_future(busy())
    try:
        for _ in range(STEPS // 4):
            await equal_now(database, ("beside", done), A_SLOW_MACHINES_SECONDS)
            at.append(done)
    finally:
        is_over.set()
        await working
    assert at[-1] > len(at), f"unknown: little went on beside {at}"
    await equal_now(database, "after all of it")


async def test_it_is_equal_at_every_step_of_an_erasure(database: Database, settings: Settings, admin: Driver):
    await begun(database, settings, admin, 0)
    await equal_now(database, "begun")
    left: dict[str, int] = {}

    async def look(state: str) -> None:
        left[state] = await admin.fetchval("select count(*) from topic_mastery where user_id = $1", BYSTANDER)
        await equal_now(database, state)

    await erase(settings, BYSTANDER, on_step=look)
    assert left["events_deleted"] > 0, "unknown: no row outlived its log"
    assert left["derived_deleted"] == 0
    await equal_now(database, "erased")


async def test_it_is_equal_after_a_job_was_killed_in_the_middle(database: Database, settings: Settings):
    await exam_catalogue(database)
    learners = [UUID(int=LEARNER.int + 16 * n) for n in range(60)]  # more than one transaction of a job
    for learner in learners:
        await enrol(database, learner, exam_on=recently(-40).date())
        await send(
            database, [answer(recently(2) + timedelta(minutes=n), n, f"q{n}", right=True) for n in range(5)], learner
        )
    await equal_now(database, "begun")
    script = (
        "import asyncio, os, sys\n"
        "from osler.jobs.run import Run\n"
        "from osler.settings import load_settings\n"
        "from osler.worker.night import opened\n"
        "async def die(*_, **__): os.kill(os.getpid(), 9)\n"
        "Run.progress = die\n"
        "async def main():\n"
        "    async with opened(load_settings()) as night:\n"
        "        await night.run(sys.argv[1], again=True)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "OSLER_PROFILE": "test", "OSLER_HOME": str(settings.home)}
    for name in ("database_url", "owner_database_url", "eraser_database_url"):
        environment[f"OSLER_{name.upper()}"] = getattr(settings, name).get_secret_value()
    for name in ("mastery", "gaps", "rolling"):
        killed = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", script, name], env=environment, capture_output=True, timeout=120
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        await equal_now(database, f"{name} was killed after its first transaction")
