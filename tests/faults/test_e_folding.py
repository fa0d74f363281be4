"""E06, E07, E22, E24, E29, E31: what is derived does not depend on how and when events came, nor on who looks."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.support.learning import (
    LEARNER,
    OTHER,
    START,
    answer,
    derived,
    event,
    history,
    read_to,
    review,
    send,
    small_catalogue,
)  # fmt: skip
from tests.support.matrix import count

from osler.analytics.mastery.tables import topic_daily_stats, topic_mastery
from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale, learner_states
from osler.db.engine import Database
from osler.eventlog import marks
from osler.ingest.intake import ingest_events
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.replay import Replay, as_json
from osler.privacy.erasure import erase
from osler.rollups.draining import drain
from osler.rollups.settling import settle
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

MINE = [found.table for analytic in analytics()[:2] for found in analytic.tables]
LATE = START - timedelta(days=89)
WITHOUT = {"user_id", "generation", "is_stale"}


def without_owner(found):
    return {
        name: [{key: value for key, value in row.items() if key not in WITHOUT} for row in rows]
        for name, rows in found.items()
    }


async def everything(database: Database) -> None:
    await draining.drain(database, Live(database, analytics()))
    await drain(database, analytics())


async def verified(database: Database) -> None:
    report = await Replay(database, analytics()).verify()
    unequal = {name: found for name, found in report.tables.items() if not found.equal}
    assert as_json(report)["equal"], unequal


async def test_e06_a_history_reversed_and_shuffled_gives_the_rows_of_the_ordered_one(database: Database):
    await small_catalogue(database)
    chance = random.Random(6)
    events = sorted(random_events(chance, count("E06", "events")), key=lambda each: each["occurred_at"])
    shuffled = events[::-1]
    chance.shuffle(shuffled)
    assert shuffled != events
    await send(database, events, LEARNER)
    live = Live(database, analytics())
    await live.catch_up(LEARNER)
    part = -(-len(shuffled) // 4)
    for start in range(0, len(shuffled), part):
        await send(database, shuffled[start : start + part], OTHER)
        await live.catch_up(OTHER)
    await everything(database)
    assert without_owner(await derived(database, MINE, LEARNER)) == without_owner(await derived(database, MINE, OTHER))
    await verified(database)


async def test_e07_events_89_days_late_are_counted_by_the_next_run(database: Database):
    await small_catalogue(database)
    await send(database, [answer(START, 1, "q0", right=True)])
    await everything(database)
    await send(database, [answer(LATE, 2, "q0", right=False), answer(LATE, 3, "q3", right=True)])
    await everything(database)
    days = (await derived(database, [topic_daily_stats], LEARNER))["topic_daily_stats"]
    assert [(day["local_date"], day["questions_attempted"]) for day in days] == [
        (LATE.date(), 2), (START.date(), 1),
    ]  # fmt: skip
    [row] = (await derived(database, [topic_mastery], LEARNER))["topic_mastery"]
    assert (row["first_attempts"], row["first_correct"], row["attempts"]) == (2, 1, 3)
    await verified(database)


def random_events(rng: random.Random, count: int) -> list[dict]:
    """Answers, reviews, resets, cramming and reading at random moments of two months."""
    made = []
    for number in range(count):
        at = START + timedelta(minutes=rng.randrange(60 * 24 * 60), milliseconds=number)
        kind = rng.randrange(10)
        if kind < 5:
            made.append(answer(at, number, f"q{rng.randrange(12)}", right=rng.random() < 0.6))
        elif kind < 8:
            made.append(review(at, number, f"c{rng.randrange(6)}", rng.randrange(1, 5)))
        elif kind < 9:
            made.append(read_to(at, number, f"m{rng.randrange(3)}", rng.choice([0.3, 0.8, 1.0])))
        else:
            made.append(event(at, number, "flashcard_reset", {"card_id": f"c{rng.randrange(6)}"}))
    return made


async def test_e22_random_events_with_regrades_erasures_nights_and_checkpoints_replay_equal(
    database: Database, settings: Settings
):
    await small_catalogue(database)
    rng = random.Random(22)
    events = random_events(rng, count("E22", "events"))
    live = Live(database, analytics())
    part = len(events) // 5
    await send(database, events[:part], OTHER)
    await live.catch_up(OTHER)
    for start in range(0, len(events), part):
        await send(database, events[start : start + part])
        await live.catch_up(LEARNER)
        if start == part:
            assert (await erase(settings, OTHER)).deleted_rows["study_events"] == part
        async with database.write() as session:
            await settle(session, analytics(), [LEARNER], START + timedelta(days=rng.randrange(70)))
    wrong = next(one for one in events if one["data"].get("answer") == ["B"])
    data = {"attempt_event_id": wrong["id"], "key_version": 2, "is_correct": True}
    late = START + timedelta(days=70)
    regrade = event(late, 9_001, "question_regrade", data)
    result = await ingest_events(database, [regrade], LEARNER, is_server=True)
    assert result.counts["accepted"] == 1, result.codes
    before = await derived(database, [topic_mastery], LEARNER)
    await everything(database)
    after = await derived(database, [topic_mastery], LEARNER)
    gained = [b["correct"] - a["correct"] for a, b in zip(*(d["topic_mastery"] for d in (before, after)), strict=True)]
    assert sum(gained) >= 1
    await verified(database)
    assert await checkpoint_before(database, analytics(), live, START + timedelta(days=20)) == 1
    async with database.write() as session:
        await declare_stale(session, [LEARNER])
    refolded = await live.catch_up(LEARNER)
    assert 0 < refolded.events < len(events), "unknown: nothing went on from the checkpoint"
    await verified(database)


async def test_e24_an_event_that_meets_a_mark_on_its_way_out_is_counted_or_still_marked(database: Database):
    """Barrier at the worst moment: the consumer has read its marks and not yet deleted them."""
    await small_catalogue(database)
    await send(database, [answer(START, 1, "q0", right=True)])
    live = Live(database, analytics())
    async with database.write(user_id=LEARNER) as session:
        taken = await marks.take(session, LEARNER, marks.LIVE)
        await send(database, [answer(START + timedelta(seconds=1), 2, "q3", right=True)])
        caught = await live.catch_up_in(session, LEARNER)
    assert len(taken) == 1
    async with database.read(primary=True) as session:
        left = await marks.take(session, LEARNER, marks.LIVE)
    assert caught == 2 or left
    await live.catch_up(LEARNER)
    [row] = (await derived(database, [topic_mastery], LEARNER))["topic_mastery"]
    assert row["questions_attempted"] == 2


@pytest.mark.parametrize("first", ["live", "rollup"])
@pytest.mark.usefixtures("made_by_hand")  # counting what nobody has folded is what no command does
async def test_e29_consumers_stopped_in_turn_keep_their_own_marks(database: Database, first: str):
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, history(4))
    if first == "live":
        await live.catch_up(LEARNER)
    else:
        await drain(database, analytics())
    async with database.read(primary=True) as session:
        backlogs = {consumer: await marks.backlog(session, consumer) for consumer in marks.CONSUMERS}
    assert backlogs == {first: 0, ({"live", "rollup"} - {first}).pop(): 28}
    await everything(database)
    await drain(database, analytics())
    async with database.read(primary=True) as session:
        assert await marks.backlog(session, marks.LIVE) == await marks.backlog(session, marks.ROLLUP) == 0


async def test_e31_a_reader_sees_the_old_rows_or_the_new_ones_and_never_half(database: Database):
    await small_catalogue(database)
    events = history(20)
    live = Live(database, analytics())
    await send(database, events[20:])
    await live.catch_up(LEARNER)
    old = await derived(database, [topic_mastery, learner_states], LEARNER)
    await send(database, events[:20])

    async def look() -> tuple:
        async with database.read(user_id=LEARNER) as session:
            query = sa.select(
                sa.func.sum(topic_mastery.c.attempts),
                sa.select(learner_states.c.generation).where(learner_states.c.user_id == LEARNER).scalar_subquery(),
            ).where(topic_mastery.c.user_id == LEARNER)
            return tuple((await session.tuples(query))[0])

    seen = [await look()]
    async with database.write(user_id=LEARNER) as session:
        assert await live.catch_up_in(session, LEARNER), "unknown: nothing was folded while they looked"
        seen.append(await look())  # everything is written and nothing is committed
    seen.append(await look())
    assert seen[0] == seen[1] != seen[2], "unknown: no read fell between the two generations"
    await send(database, history(1, start=START + timedelta(days=30)))
    folding = asyncio.create_task(live.catch_up(LEARNER))
    between = await derived(database, [topic_mastery, learner_states], LEARNER)
    while not folding.done():
        seen.append(await look())
    await folding
    new = await derived(database, [topic_mastery, learner_states], LEARNER)
    whole = {
        (sum(row["attempts"] for row in found["topic_mastery"]), found["learner_states"][0]["generation"])
        for found in (old, between, new)
    }
    assert set(seen) <= whole, (set(seen), whole)
