"""The recall that is served live is the one that the backtest scores: same states, same guard, same numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, START, answer, event, review, send, small_catalogue

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.evaluate.recall import forecast_learner
from osler.evaluate.recall_data import read
from osler.evaluate.report import SERVED
from osler.forecasts.predictions import RECALL
from osler.forecasts.tables import predictions
from osler.live.catch_up import Live
from osler.live.replay import Replay

pytestmark = pytest.mark.integration


def reviews(days: int = 30) -> list[dict[str, Any]]:
    """Two or three reviews a day of seven cards, some twice on a day, one crammed, one reset; too few for a fit."""
    events: list[dict[str, Any]] = []
    for day in range(days):
        at = START + timedelta(days=day, minutes=11 * (day % 4))
        for n in range(2):
            at += timedelta(minutes=4)
            events.append(review(at, len(events), f"c{(3 * day + n) % 7}", (1, 3, 3, 4, 2)[(day + n) % 5]))
        if day % 6 == 0:
            events.append(review(at + timedelta(minutes=20), len(events), f"c{3 * day % 7}", 3))
    crammed = review(START + timedelta(days=9, hours=2), 900, "c3", 1)
    crammed["data"]["affects_schedule"] = False
    events.append(crammed)
    events.append(event(START + timedelta(days=12, hours=2), 901, "flashcard_reset", {"card_id": "c2"}))
    return sorted(events, key=lambda one: one["occurred_at"])


def backtested(events: list[dict[str, Any]], folder: Path) -> dict[datetime, tuple[float, float]]:
    """(served, unguarded) by instant, as `osler evaluate --task recall` makes them from the log."""
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps({**one, "user_id": str(LEARNER)}) + "\n" for one in events))
    [learner] = read(path, as_of=None).learners
    run = forecast_learner(learner)
    taken = [e for e in events if e["type"] == "flashcard_review" and e["data"]["affects_schedule"]]
    values = zip(run.forecasts[SERVED].tolist(), run.forecasts["blend-default-bias"].tolist(), strict=True)
    at = [datetime.fromisoformat(one["occurred_at"]) for one in taken]
    return {when: pair for when, pair in zip(at, values, strict=True) if not np.isnan(pair[0])}


async def served(database: Database) -> dict[datetime, float]:
    query = sa.select(predictions.c.as_of, predictions.c.probability).where(
        predictions.c.user_id == LEARNER, predictions.c.task == RECALL
    )
    async with database.read(primary=True) as session:
        return dict(await session.tuples(query))


@pytest.mark.parametrize("at_a_time", [1, 1000])
async def test_live_serves_what_the_backtest_scores(database: Database, tmp_path: Path, at_a_time: int):
    await small_catalogue(database)
    live, events = Live(database, analytics()), reviews()
    for start in range(0, len(events), at_a_time):
        await send(database, events[start : start + at_a_time])
        await live.catch_up(LEARNER)
    told, expected = await served(database), backtested(events, tmp_path)
    assert told.keys() == expected.keys()
    assert len(told) > 50
    for at, (guarded, model) in expected.items():
        assert told[at] == pytest.approx(guarded, abs=1e-9), (at, model)
    assert max(abs(guarded - model) for guarded, model in expected.values()) > 0.01
    replayed = (await Replay(database, analytics()).verify([LEARNER])).tables
    assert replayed["learner_states"].equal
    assert replayed["item_memory"].equal


async def test_an_answer_on_the_same_day_is_served_unguarded_and_teaches_the_guard_nothing(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, [answer(START, 1, "q0", right=True)])
    await live.catch_up(LEARNER)
    before = await guard_of(database)
    await send(database, [answer(START + timedelta(minutes=30), 2, "q0", right=False)])
    await live.catch_up(LEARNER)
    assert await guard_of(database) == before
    await send(database, [answer(START + timedelta(days=2), 3, "q0", right=True)])
    await live.catch_up(LEARNER)
    assert (await guard_of(database))["n"] == 1


async def guard_of(database: Database) -> dict[str, Any]:
    query = "select states->'retrieval'->'guard' from learner_states where user_id = :user"
    async with database.read(primary=True) as session:
        return await session.scalar(sa.text(query), {"user": LEARNER})
