"""What a process holds of a learner between two folds is never taken for what another one has made of them since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.learning import LEARNER, START, answer, derived, send, small_catalogue

from osler.analytics.contract import Batch
from osler.analytics.efficiency.sessions import SINCE
from osler.analytics.efficiency.tables import study_sessions
from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.live.replay import Replay, as_json
from osler.rollups.draining import drain

pytestmark = pytest.mark.integration

ANSWERS = [answer(START + timedelta(seconds=40 * n), n, f"q{n % 5}", right=n % 3 > 0) for n in range(24)]


def held(batch: Batch | None) -> int:
    """Events of the last session that the fold did not have to read."""
    assert batch is not None
    before = batch.kept(SINCE)
    return 0 if before is None else len(before)


async def sessions(database: Database) -> list[tuple[int, int]]:
    found = await derived(database, [study_sessions], LEARNER)
    return [(row["events"], row["correct"]) for row in found["study_sessions"]]


async def assert_replay_agrees(database: Database) -> None:
    await drain(database, analytics())
    report = await Replay(database, analytics()).verify([LEARNER])
    assert as_json(report)["equal"], as_json(report)


async def test_a_process_reads_no_session_again_that_it_has_just_folded(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    found: list[int] = []
    for n, one in enumerate(ANSWERS):
        await send(database, [one])
        caught = await live.catch_up(LEARNER)
        if n:
            found.append(held(caught.batch))
    assert found == [0, *range(2, len(ANSWERS))], "the first fold is of a new learner, and keeps nothing"
    assert await sessions(database) == [(24, sum(n % 3 > 0 for n in range(24)))]
    await assert_replay_agrees(database)


async def test_two_processes_that_fold_in_turns_end_in_the_rows_of_one(database: Database):
    await small_catalogue(database)
    processes = [Live(database, analytics()), Live(database, analytics())]
    for n, one in enumerate(ANSWERS):
        await send(database, [one])
        caught = await processes[n // 2 % 2].catch_up(LEARNER)
        if n:
            assert bool(held(caught.batch)) == (n % 2 == 1 and n > 1), "what the other has folded is read"
    assert await sessions(database) == [(24, sum(n % 3 > 0 for n in range(24)))]
    await assert_replay_agrees(database)


async def test_a_late_answer_and_a_changed_setting_are_not_folded_on_top_of_what_is_held(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    late, on_time = ANSWERS[5], [*ANSWERS[:5], *ANSWERS[6:]]
    for one in on_time:
        await send(database, [one])
        await live.catch_up(LEARNER)
    await send(database, [late])
    assert (await live.catch_up(LEARNER)).is_refold
    async with database.write() as session:
        await declare_stale(session, [LEARNER])
    assert (await live.catch_up(LEARNER)).is_refold
    assert await sessions(database) == [(24, sum(n % 3 > 0 for n in range(24)))]
    await assert_replay_agrees(database)
