"""What is known before each answer, and what is forecast from it, is one thing live and in the backtest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.learning import (
    LEARNER,
    OTHER,
    START,
    TOPICS,
    answer,
    event,
    history,
    review,
    send,
    small_catalogue,
)

from osler.analytics.registry import analytics
from osler.catalog.tables import cards, catalog_versions, questions, topics
from osler.db.engine import Database
from osler.evaluate import next_answer_rows
from osler.evaluate.next_answer_data import Answers, read
from osler.evaluate.next_answer_sources import rows_of_file
from osler.forecasts.model_files import Manifest, Payload, golden_of
from osler.forecasts.parameters import EASINESS, NEXT_ANSWER, TASK, Fitted, ParameterStore, Parts, newest, store
from osler.forecasts.predictions import NEXT_ANSWER as FORECASTS
from osler.forecasts.shelf import Shelf
from osler.forecasts.tables import predictions
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.replay import Replay
from osler.live.shadow import cast_shadow
from osler.privacy.export import Export
from osler.science import boosting, next_answer, next_answer_fit
from osler.science.features import NAMES
from osler.worker.fit_next_answer import golden_cases
from osler.worker.night import night_of

pytestmark = pytest.mark.integration
LEARNERS, EACH = 24, 40


def stretch(path: Path) -> list[tuple[UUID, str, str, bool]]:
    """(learner, question, topic, right) of the first answers of some learners of the file, in its order."""
    taken: dict[str, int] = {}
    rows: list[tuple[UUID, str, str, bool]] = []
    for row in rows_of_file(path):
        if row.learner not in taken and len(taken) == LEARNERS:
            break
        taken[row.learner] = taken.get(row.learner, 0) + 1
        if taken[row.learner] <= EACH:
            user = UUID(int=(0x5F0C << 112) | (4 << 76) | (2 << 62) | (int(row.learner) + 1))
            rows.append((user, f"i{row.item}", f"s{row.topics[0]}", row.correct > 0.5))
    return rows


async def put_into_catalogue(database: Database, rows: list[tuple[UUID, str, str, bool]]) -> None:
    topic_of = {item: topic for _, item, topic, _ in rows}
    async with database.write() as session:
        named = sorted(set(topic_of.values()))
        await session.execute(
            sa.insert(topics), [{"topic_id": t, "name": t, "level": 0, "axis": "system"} for t in named]
        )
        made = [
            {"question_id": item, "key": ["A"], "option_count": 4, "topic_ids": [topic]}
            for item, topic in sorted(topic_of.items())
        ]
        await session.execute(sa.insert(questions), made)
        await session.execute(sa.insert(catalog_versions).values(what="questions"))


def events_of(rows: list[tuple[UUID, str, str, bool]]) -> dict[UUID, list[dict[str, Any]]]:
    """Their answers, seven hours apart, so that days pass."""
    events: dict[UUID, list[dict[str, Any]]] = {}
    for number, (user, item, _, right) in enumerate(rows):
        mine = events.setdefault(user, [])
        mine.append(answer(START + timedelta(hours=7 * len(mine)), number, item, right=right))
    return events


def backtested(rows: list[tuple[UUID, str, str, bool]], folder: Path) -> Answers:
    """The same answers as `osler evaluate` reads them from an exported log."""
    path = folder / "log.jsonl"
    topic_of = {item: topic for _, item, topic, _ in rows}
    lines = [
        {
            **event, "user_id": str(user), "is_correct": event["data"]["answer"] == ["A"],
            "topic_ids": [topic_of[event["data"]["question_id"]]],
        }
        for user, mine in events_of(rows).items()
        for event in mine
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read(path)


def features_of(answers: Answers) -> np.ndarray:
    """The backtest's rows with everybody in training."""
    nobody = np.zeros(answers.item.size, dtype=bool)
    split = next_answer_rows.Split(nobody, by_learner=False, text="")
    return next_answer_rows.features_of(answers, split, next_answer_rows.encode(answers, ~nobody))


async def stored(database: Database) -> dict[tuple[UUID, str], tuple[str, float]]:
    query = sa.select(
        predictions.c.user_id, predictions.c.about, predictions.c.model_version, predictions.c.probability
    ).where(predictions.c.task == FORECASTS)
    async with database.read(primary=True) as session:
        return {(user, about): (version, p) for user, about, version, p in await session.tuples(query)}


async def test_live_features_and_forecasts_are_those_of_the_backtest(
    database: Database, shared_data: Path, tmp_path: Path
):
    rows = stretch(shared_data / "assist09_interactions.csv.zst")
    await put_into_catalogue(database, rows)
    live, events = Live(database, analytics()), events_of(rows)
    for user, mine in events.items():
        await send(database, mine[:-5], user)
        await live.catch_up(user)
    by_model_alone = await stored(database)
    assert {version for version, _ in by_model_alone.values()} == {"adf-2/start-1"}

    # The easiness that the backtest encodes with, as the weekly job counts it in SQL.
    early = [one for user, mine in events.items() for one in [r for r in rows if r[0] == user][: len(mine) - 5]]
    answers = backtested(early, tmp_path)
    night = night_of(database)
    assert await night.run("fit_item_easiness") == "succeeded"
    async with database.read(primary=True) as session:
        easiness = await newest(session, EASINESS)
        assert easiness is not None
        parameters = await ParameterStore().get(session, "start-1")
        assert parameters.easiness is None
    expected = features_of(answers)
    traced = await traced_live(database, live, easiness[0], list(events))
    assert traced.shape == expected.shape
    np.testing.assert_allclose(traced, expected, rtol=0, atol=1e-12)

    # A model fitted on the backtest's rows serves the answers that come after.
    model = next_answer_fit.fit(
        next_answer_rows.rows_of(answers, expected), answers.items, answers.topics, with_trees=boosting.AVAILABLE
    )
    await serve(database, model, easiness[0], list(events))
    for user, mine in events.items():
        await send(database, mine[-5:], user)
        await live.catch_up(user)
    told = await stored(database)
    assert {key: told[key] for key in by_model_alone} == by_model_alone  # what was said first stands
    later = {key: p for key, (version, p) in told.items() if version.startswith("next-answer-")}
    assert len(later) == 5 * len(events)
    wanted = forecast_by_backtest(rows, model, tmp_path)
    assert [later[key] for key in wanted] == pytest.approx(list(wanted.values()), abs=1e-12)
    replayed = (await Replay(database, analytics()).verify()).tables
    assert all(replayed[name].equal for name in ("learner_states", "topic_mastery", "item_memory"))


async def test_an_exported_log_with_cards_is_folded_by_the_backtest_as_it_was_live(database: Database, tmp_path: Path):
    await small_catalogue(database)
    users = [UUID(int=LEARNER.int + n) for n in range(3)]
    for number, user in enumerate(users):
        events = history(20, start=START + timedelta(minutes=number))
        crammed = review(START + timedelta(days=4, hours=3), 5_000, "c1", 1)
        crammed["data"]["affects_schedule"] = False
        again = review(START + timedelta(days=5, hours=3), 5_001, "c2", 3)
        reset = event(START + timedelta(days=5, hours=4), 5_002, "flashcard_reset", {"card_id": "c2"})
        anew = review(START + timedelta(days=5, hours=5), 5_003, "c2", 3)
        await send(database, sorted([*events, crammed, again, reset, anew], key=lambda one: one["id"]), user)
    live = Live(database, analytics())
    await drain(database, live)
    assert await night_of(database).run("fit_item_easiness") == "succeeded"
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        async for lines in Export(database, None, datetime.now(UTC), with_keys=True).lines(with_derived=False):
            file.write(lines)
    answers = read(path)
    assert answers.is_card.sum() > 50
    async with database.read(primary=True) as session:
        easiness = await newest(session, EASINESS)
    assert easiness is not None
    mine = {name: place for place, name in enumerate(answers.learners)}
    expected = features_of(answers)
    for user in users:
        rows = (answers.learner == mine[str(user)]) & ~answers.is_card
        traced = await traced_live(database, live, easiness[0], [user])
        np.testing.assert_allclose(traced, expected[rows], rtol=0, atol=1e-12)


def month_of(*, overdue: bool) -> list[dict[str, Any]]:
    """Three questions and six cards a day; cards passed at 85 %, from day 10 on at 32 % where they are left overdue."""
    events: list[dict[str, Any]] = []
    for day in range(30):
        at = START + timedelta(days=day)
        for n in range(9):
            place, at = day * 9 + n, at + timedelta(minutes=2)
            if n < 3:
                events.append(answer(at, place, f"q{(day * 3 + n) % 12}", right=(day + n) % 3 != 0))
            else:
                passed = place * 7 % 25 < 8 if overdue and day >= 10 else place * 7 % 20 < 17
                events.append(review(at, place, f"c{place % 90}", 3 if passed else 1))
    return events


async def test_cards_that_are_let_go_overdue_move_no_forecast_of_a_question(database: Database):
    await small_catalogue(database)
    async with database.write() as session:
        named = [{"user_id": user, "card_id": f"c{n}", "topic_ids": [TOPICS[n % 3]]} for user in (LEARNER, OTHER)
                 for n in range(90)]  # fmt: skip
        await session.execute(sa.insert(cards), named)
        await session.execute(sa.insert(catalog_versions).values(what="cards"))
    await send(database, month_of(overdue=False), LEARNER)
    await send(database, month_of(overdue=True), OTHER)
    await drain(database, Live(database, analytics()))
    told = await stored(database)
    asked = [one["id"] for one in month_of(overdue=False) if one["type"] == "question_submit"]
    on_time, late = (np.array([told[user, about][1] for about in asked]) for user in (LEARNER, OTHER))
    assert np.abs(on_time - late).max() < 0.04


async def traced_live(database: Database, live: Live, easiness: str, users: list[UUID]) -> np.ndarray:
    async with database.write() as session:
        parameters = await ParameterStore().of_parts(session, Parts(easiness), easiness)
        await cast_shadow(session, [found.table for analytic in analytics() for found in analytic.tables])
        rows = [one.asked.features for user in users for one in await live.trace_in(session, user, parameters)]
    return np.array(rows)


async def serve(database: Database, model: next_answer.NextAnswerModel, easiness: str, users: list[UUID]) -> None:
    """What the weekly jobs do with a model that was accepted."""
    version = "next-answer-20260901-0123456789"
    payload = Payload(
        Manifest(NEXT_ANSWER, version, NAMES, "0", START.isoformat(), 1, 1), model,
        golden_of(model, golden_cases(model)),
    )  # fmt: skip
    Shelf(database.settings.home).write(payload)
    async with database.write() as session:
        content = {"item_easiness": easiness, "accepted": True}
        await store(session, Fitted(NEXT_ANSWER, content, START, 1, 1), promote=True, version=version)
        await store(
            session, Fitted(TASK, {"item_easiness": easiness, "next_answer": version}, START, 1, 1), promote=True
        )
        current = await ParameterStore().current_version(session)
    live = Live(database, analytics())
    async with database.write() as session:
        for user in users:
            assert await live.refold_under(session, user, current)


def forecast_by_backtest(
    rows: list[tuple[UUID, str, str, bool]], model: next_answer.NextAnswerModel, folder: Path
) -> dict[tuple[UUID, str], float]:
    """The last five answers of each learner, forecast by the backtest from a fit on the earlier ones."""
    whole = backtested(rows, folder)
    place = np.concatenate([np.arange(size)[::-1] for size in np.diff(whole.bounds())])
    late = place < 5
    split = next_answer_rows.Split(late, by_learner=False, text="")
    features = next_answer_rows.features_of(whole, split, next_answer_rows.encode(whole, ~late))
    tested = next_answer_rows.rows_of(whole, features).take(np.flatnonzero(late))
    chances = next_answer.predict_many(model, tested, whole.items, whole.topics).tolist()
    names = [(UUID(name), one["id"]) for name in whole.learners for one in events_of(rows)[UUID(name)][-5:]]
    return dict(zip(names, chances, strict=True))
