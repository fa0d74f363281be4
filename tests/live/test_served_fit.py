"""Parameters fitted to a learner serve live what the backtest scores them by: the same fit, bias, guard and numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, START, review, send, small_catalogue

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.evaluate.recall import guarded
from osler.evaluate.recall_data import read
from osler.evaluate.recall_models import online, trained
from osler.forecasts.predictions import RECALL
from osler.forecasts.tables import predictions
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.science import blend, guard
from osler.worker.night import night_of

pytestmark = pytest.mark.integration
CUT = 150


def reviews() -> list[dict[str, Any]]:
    """Five cards a day, nearly always forgotten overnight: nothing like the population."""
    rng = np.random.default_rng(1)
    return [
        review(START + timedelta(days=day, minutes=n), 100 * day + n, f"c{n}", 3 if rng.random() < 0.3 else 1)
        for day in range(44)
        for n in range(5)
    ]


def backtested(events: list[dict[str, Any]], folder: Path) -> dict[datetime, float]:
    """What the backtest would serve: the population's memory up to the cut, then a fit on everything before it."""
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps({**one, "user_id": str(LEARNER)}) + "\n" for one in events))
    [learner] = read(path, as_of=None).learners
    history = learner.history
    early, state = guarded(history, 0, online(learner).forecasts["blend-default-bias"][:CUT], guard.Guard())
    block = trained(learner, CUT, len(events))
    assert block.parameters != blend.POPULATION
    late, _ = guarded(history, CUT, block.forecasts["osler"], guard.refitted(state))
    at = [datetime.fromisoformat(one["occurred_at"]) for one in events]
    both = np.concatenate([early, late]).tolist()
    return {when: p for when, p in zip(at, both, strict=True) if not np.isnan(p)}


@pytest.mark.parametrize("at_a_time", [1, 1000])
async def test_live_serves_a_fit_as_the_backtest_scores_it(database: Database, tmp_path: Path, at_a_time: int):
    await small_catalogue(database)
    events = reviews()
    await send(database, events[:CUT])
    await drain(database, Live(database, analytics()))
    assert await night_of(database).run("fit_memory") == "succeeded"
    live = Live(database, analytics())
    for start in range(CUT, len(events), at_a_time):
        await send(database, events[start : start + at_a_time])
        await live.catch_up(LEARNER)
    query = sa.select(predictions.c.as_of, predictions.c.probability).where(predictions.c.task == RECALL)
    async with database.read(primary=True) as session:
        told = dict(await session.tuples(query))
    expected = backtested(events, tmp_path)
    assert told.keys() == expected.keys()
    assert [told[at] for at in expected] == pytest.approx(list(expected.values()), abs=1e-9)
