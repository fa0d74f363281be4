"""A learner whose weeks are erratic gets wider intervals, and the same ones however the reviews came in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.support.learning import LEARNER, OTHER, START, derived, review, send, small_catalogue

from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.analytics.retrieval.answer import forgetting
from osler.analytics.retrieval.folding import NAME
from osler.analytics.retrieval.model import LearnerMemory
from osler.analytics.retrieval.pages import topic
from osler.analytics.retrieval.queries import items_of_topics
from osler.analytics.retrieval.tables import item_memory
from osler.analytics.states import declare_stale, learner_states
from osler.db.engine import Database
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.replay import Replay, as_json
from osler.rollups.draining import drain
from osler.rollups.settling import settle
from osler.science.logits import logit
from osler.science.topic_strength import START_TAU

pytestmark = pytest.mark.integration

BEGIN = START - timedelta(days=29)  # a Monday
CARDS, WEEKS = 30, 11


def erratic() -> list[dict[str, Any]]:
    """Thirty cards, each once a week: in one week all are passed, in the next none is."""
    events: list[dict[str, Any]] = []
    for week in range(WEEKS):
        for card in range(CARDS):
            at = BEGIN + timedelta(weeks=week, days=card % 5, minutes=2 * (card // 5))
            one = review(at, len(events), f"c{card}", 3 if week % 2 == 0 else 1)
            events.append({**one, "topic_ids": ["cardio" if card % 2 else "renal"]})
    return sorted(events, key=lambda one: one["occurred_at"])


async def memory_of(database: Database, user_id: Any = LEARNER) -> LearnerMemory:
    [row] = (await derived(database, [learner_states], user_id))["learner_states"]
    return msgspec.convert(row["states"][NAME], LearnerMemory)


async def rows(database: Database, user_id: Any = LEARNER) -> list[dict[str, Any]]:
    found = (await derived(database, [topic_mastery], user_id))["topic_mastery"]
    return [{name: value for name, value in row.items() if name != "user_id"} for row in found]


async def test_tau_is_the_same_however_the_reviews_were_split_and_in_whichever_order_they_came(database: Database):
    await small_catalogue(database)
    live, events = Live(database, analytics()), erratic()
    for start in range(0, len(events), 17):
        await send(database, events[start : start + 17])
        await live.catch_up(LEARNER)
    order = np.random.default_rng(3).permutation(len(events)).tolist()
    for part in (order[:100], order[100:]):
        await send(database, [events[place] for place in part], OTHER)
        await live.catch_up(OTHER)
    one, other = await memory_of(database), await memory_of(database, OTHER)
    assert one.weekly == other.weekly
    assert one.weekly.weeks == WEEKS - 2
    assert one.tau > 2 * START_TAU
    assert await rows(database) == await rows(database, OTHER)
    await drain(database, analytics())
    report = as_json(await Replay(database, analytics()).verify())
    assert report["equal"], report


async def test_intervals_and_curve_of_a_topic_rest_on_the_learners_own_tau(database: Database):
    """Both right after a review and after a night: an interval is τ's in logits, beside the spread of the items."""
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, erratic())
    await live.catch_up(LEARNER)
    memory = await memory_of(database)
    assert memory.tau > 2 * START_TAU
    # The slope of the mean over items is within a few per cent of p (1 - p).
    least = 1.645 * memory.tau * 0.8
    for row in await rows(database):
        assert upwards(row["retrieval_strength"], row["retrieval_high"]) > least, row["topic_id"]
    at_night = datetime.combine(date(2026, 10, 25), time(2), UTC)
    async with database.write() as session:
        await settle(session, analytics(), [LEARNER], at_night)
        found, _ = await topic(session, LEARNER, at_night, "renal")
        items = await items_of_topics(session, LEARNER, ["renal"], memory.parameters)
    for row in await rows(database):
        assert upwards(row["retrieval_strength"], row["retrieval_high"]) > least, row["topic_id"]
    today = forgetting(found, items["renal"], at_night)[0]
    assert upwards(today["retrievability"], today["high"]) > least


def upwards(value: float, high: float) -> float:
    """How far the upper end is, in logits."""
    return logit(high) - logit(value)


async def test_a_checkpoint_carries_the_weeks_before_it(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, erratic())
    await live.catch_up(LEARNER)
    before, items = await memory_of(database), await derived(database, [item_memory], LEARNER)
    assert before.weekly.weeks == WEEKS - 2
    await checkpoint_before(database, analytics(), live, BEGIN + timedelta(weeks=6, days=2))
    async with database.write() as session:
        await declare_stale(session, [LEARNER])
    refolded = await live.catch_up(LEARNER)
    assert 0 < refolded.events < CARDS * WEEKS
    assert (await memory_of(database)).weekly == before.weekly
    assert await derived(database, [item_memory], LEARNER) == items
