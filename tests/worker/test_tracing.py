"""What the weekly fit of the next answer learns from: everybody, or a sample that no order of arrival decides."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.classes import class_catalogue, learner, send_class

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.forecasts.parameters import START
from osler.jobs.run import Job, Run, run_once
from osler.live.catch_up import Live
from osler.live.shadow import cast_shadow
from osler.rollups.nightly import as_of_night
from osler.science.next_answer_fit import MOST_ANSWERS, collected
from osler.worker import tracing
from osler.worker.tracing import Sample, Traces, sampled, traced

pytestmark = pytest.mark.integration

PERIOD = "2027-03-01"
UNTIL = as_of_night(date.fromisoformat(PERIOD))
N, DAYS = 12, 4


async def draw(database: Database, most: int) -> Sample:
    async with database.read(primary=True) as session:
        return await sampled(session, UNTIL, most)


async def test_a_sample_has_whole_learners_by_hash_and_says_what_it_leaves_out(database: Database):
    await class_catalogue(database)
    await send_class(database, N, DAYS)
    everybody = await draw(database, 10**6)
    assert sorted(everybody.user_ids) == sorted(learner(n) for n in range(N))
    assert str(everybody) == f"all {N} learners"
    async with database.read(primary=True) as session:
        answers = await session.scalar(sa.text("select count(*) from question_attempts"))
    half = await draw(database, answers // 2)
    assert half.user_ids == everybody.user_ids[: N // 2]
    assert half.user_ids != sorted(half.user_ids), "not those with the lowest names, who may be the first that came"
    assert str(half) == f"a sample of {N // 2} of {N} learners"
    assert len((await draw(database, 1)).user_ids) == 1


async def run_traced(database: Database, live: Live, sample: Sample) -> tuple[Traces | None, str]:
    found: list[Traces | None] = []

    async def work(run: Run) -> None:
        found.append(await traced(run, live, analytics(), START, sample))

    status = await run_once(database, Job("trace", "traces", work), PERIOD)
    return found[0], str(status)


async def test_what_is_traced_in_groups_is_what_each_learner_alone_gives(database: Database, monkeypatch):
    await class_catalogue(database)
    await send_class(database, N, DAYS)
    monkeypatch.setattr(tracing, "LEARNERS_A_SHADOW", 3)
    live, sample = Live(database, analytics()), await draw(database, 10**6)
    traces, status = await run_traced(database, live, sample)
    assert traces is not None
    assert status == "succeeded"
    async with database.write() as session:
        await cast_shadow(session, [found.table for one in analytics() for found in one.tables])
        each = [await live.trace_in(session, user_id, START) for user_id in sample.user_ids]
    whole = [one for rows in each for one in rows]
    assert traces.learner.tolist() == [n for n, rows in enumerate(each) for _ in rows]
    alone = collected([one.asked for one in whole], [one.correct for one in whole])
    assert (traces.rows.items, traces.rows.topics) == (alone.items, alone.topics)
    for name in ("features", "item", "topic_row", "topic", "topic_right", "topic_wrong", "correct"):
        np.testing.assert_array_equal(getattr(traces.rows.rows, name), getattr(alone.rows, name))
    async with database.read(primary=True) as session:
        assert await session.scalar(sa.text("select count(*) from topic_mastery")) == 0, "shadows alone were written"


async def test_f20_who_cannot_be_traced_is_parked_and_the_others_are_learned_from(database: Database):
    await class_catalogue(database)
    await send_class(database, N, DAYS)
    sample = await draw(database, 10**6)
    poison = sample.user_ids[5]

    class Poisoned(Live):
        async def trace_in(self, session, user_id, parameters):
            if user_id == poison:
                raise ArithmeticError("of one learner alone")
            return await super().trace_in(session, user_id, parameters)

    traces, status = await run_traced(database, Poisoned(database, analytics()), sample)
    assert traces is not None
    assert status == "partial"
    assert np.unique(traces.learner).size == N - 1
    async with database.read(primary=True) as session:
        parked = await session.tuples(sa.text("select user_id, reason from job_parked"))
    assert parked == [(poison, "ArithmeticError")]


def test_of_very_many_answers_an_even_part_is_kept(monkeypatch):
    monkeypatch.setattr(tracing, "collected", lambda asked, correct: (list(asked), list(correct)))
    rows = [tracing.Traced(n, n % 2 == 0, UNTIL) for n in range(3 * MOST_ANSWERS)]  # type: ignore[arg-type]
    kept, _ = tracing._compact(rows)  # type: ignore[misc]
    assert len(set(kept)) == MOST_ANSWERS
    assert (kept[0], kept[-1]) == (0, 3 * MOST_ANSWERS - 1)
    assert {later - earlier for earlier, later in pairwise(kept)} <= {2, 3, 4}
