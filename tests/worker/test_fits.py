"""The weekly jobs of models: what is fitted on the log, judged, promoted and folded under, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.support.classes import class_catalogue, learner, send_class, steady, streaky
from tests.support.learning import LEARNER, START, history, review, send, small_catalogue

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.forecasts.parameters import START_VERSION, ParameterStore
from osler.forecasts.shelf import FOLDER, Shelf
from osler.forecasts.tables import models, predictions
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.live.replay import Replay
from osler.worker.night import Night, night_of

pytestmark = pytest.mark.integration
FITS = (
    "fit_item_easiness", "fit_prior_variances", "fit_next_answer", "fit_learning_rate", "promote_fits", "fit_memory",
    "refold",
)  # fmt: skip
FOLDED = ("learner_states", "topic_mastery", "item_memory")


async def fit_all(database: Database, names: tuple[str, ...] = FITS) -> Night:
    night = night_of(database)
    for name in names:
        assert await night.run(name, again=True) == "succeeded"
    return night


async def rows_of(database: Database, task: str) -> list[dict[str, Any]]:
    query = sa.select(models).where(models.c.task == task).order_by(models.c.created_at)
    async with database.read(primary=True) as session:
        return [dict(row) for row in await session.rows(query)]


async def versions_told(database: Database, user_id: UUID) -> list[str]:
    query = (
        sa.select(predictions.c.model_version)
        .where(predictions.c.user_id == user_id, predictions.c.task == "next-answer")
        .order_by(predictions.c.as_of)
    )
    async with database.read(primary=True) as session:
        return [row[0] for row in await session.tuples(query)]


async def is_what_the_log_says(database: Database, only: list[UUID]) -> bool:
    found = (await Replay(database, analytics()).verify(only)).tables
    return all(found[name].equal for name in FOLDED)


async def test_a_model_that_wins_on_learners_held_back_is_served_from_then_on(database: Database):
    await class_catalogue(database)
    await send_class(database, 190, 16)
    live = Live(database, analytics())
    await drain(database, live)
    await fit_all(database)
    [trial] = await rows_of(database, "next-answer")
    assert trial["content"]["accepted"], trial["metrics"]
    assert trial["metrics"]["difference_upper"] < 0
    assert trial["metrics"]["log_loss"] < trial["metrics"]["adf_log_loss"]
    assert trial["metrics"]["held_back_learners"] >= 30
    assert (database.settings.home / FOLDER / trial["content"]["file"]).exists()
    [version] = [row["version"] for row in await rows_of(database, "parameters")]
    # The same log again makes the same fits: nothing is promoted, nobody is folded anew.
    folds = sa.text("select sum(generation) from learner_states")
    async with database.read(primary=True) as session:
        counted = await session.scalar(folds)
    await fit_all(database, ("fit_item_easiness", "fit_prior_variances", "fit_next_answer", "promote_fits", "refold"))
    assert [row["version"] for row in await rows_of(database, "parameters")] == [version]
    async with database.read(primary=True) as session:
        assert await session.scalar(folds) == counted
    first = learner(3)
    before = await versions_told(database, first)
    assert set(before) == {"adf-2/start-1"}
    await send(database, streaky(3, 4, first=16), first)
    await Live(database, analytics()).catch_up(first)
    told = await versions_told(database, first)
    assert told[: len(before)] == before  # a forecast that was made stands
    assert set(told[len(before) :]) == {f"{trial['version']}/{version}"}
    assert await is_what_the_log_says(database, [learner(n) for n in (0, 3, 5)])
    # A learner who comes later is folded and forecast under what serves now.
    newcomer = UUID("5f0c0000-0000-4000-8000-0000000000aa")
    await send(database, streaky(7, 3), newcomer)
    await Live(database, analytics()).catch_up(newcomer)
    assert set(await versions_told(database, newcomer)) == {f"{trial['version']}/{version}"}


async def test_a_learner_who_is_alone_is_served_by_the_start_values(database: Database):
    await small_catalogue(database)
    await send(database, history(10))
    await drain(database, Live(database, analytics()))
    await fit_all(database)
    [trial] = await rows_of(database, "next-answer")
    assert trial["content"] == {"accepted": False}
    assert trial["metrics"]["reason"].startswith("too few")
    assert not (database.settings.home / FOLDER).exists() or not list((database.settings.home / FOLDER).iterdir())
    async with database.read(primary=True) as session:
        store = ParameterStore(Shelf(database.settings.home))
        parameters = await store.get(session, await store.current_version(session))
        state = await session.scalar(sa.text("select parameter_version from learner_states"))
    # Their own answers, said of the questions too, would count twice: as how able they are, and how easy these are.
    assert state == parameters.version == START_VERSION
    [easiness] = await rows_of(database, "item-easiness")
    assert easiness["metrics"]["reason"] == "too few: 1 learners; needed 10"
    assert not easiness["content"]["accepted"]
    assert await is_what_the_log_says(database, [LEARNER])


async def test_a_learner_with_enough_reviews_is_served_by_memory_parameters_of_their_own(database: Database):
    await small_catalogue(database)
    # Cards that are nearly always forgotten after a day: nothing like the population.
    made = [
        review(START + timedelta(days=day, minutes=n), 100 * day + n, f"c{n}", 3 if (day * 7 + n) % 10 == 0 else 1)
        for day in range(40)
        for n in range(5)
    ]
    await send(database, made[:150])
    live = Live(database, analytics())
    await drain(database, live)
    await fit_all(database, ("fit_memory",))
    async with database.read(primary=True) as session:
        [row] = await session.rows(sa.text("select * from memory_parameters"))
        guard = await session.scalar(sa.text("select states->'retrieval'->'guard' from learner_states"))
    assert "accepted" in {row["fsrs_verdict"], row["sbd_verdict"]}
    assert guard["n"] == row["guard_n"] == row["reviews"] == 145
    assert await is_what_the_log_says(database, [LEARNER])
    await send(database, made[150:])
    await Live(database, analytics()).catch_up(LEARNER)
    assert await is_what_the_log_says(database, [LEARNER])
    query = "select model_version, avg(probability) as p from predictions where task = 'recall' group by 1"
    async with database.read(primary=True) as session:
        told = {r["model_version"].split("/")[0]: r["p"] for r in await session.rows(sa.text(query))}
    assert set(told) == {"recall-2", f"recall-2+{row['version']}"}
    assert told[f"recall-2+{row['version']}"] < told["recall-2"]
    # Not fitted again before reviews have grown by a fifth.
    before = row["fitted_at"]
    await fit_all(database, ("fit_memory",))
    async with database.read(primary=True) as session:
        again = await session.scalar(sa.text("select fitted_at from memory_parameters"))
    assert again > before  # 145 to 195 is more than a fifth
    await fit_all(database, ("fit_memory",))
    async with database.read(primary=True) as session:
        assert await session.scalar(sa.text("select fitted_at from memory_parameters")) == again


async def test_a_class_that_lies_far_apart_is_folded_under_variances_of_its_own(database: Database):
    await class_catalogue(database)
    for number in range(190):
        await send(database, steady(number, 16), learner(number))
    await drain(database, Live(database, analytics()))
    await fit_all(database)
    [trial] = await rows_of(database, "prior-variances")
    assert trial["content"]["accepted"], trial["metrics"]
    assert trial["promoted_at"] is not None
    assert trial["metrics"]["held_back_learners"] >= 30
    async with database.read(primary=True) as session:
        store = ParameterStore(Shelf(database.settings.home))
        parameters = await store.get(session, await store.current_version(session))
        folded = set(await session.tuples(sa.text("select distinct parameter_version from learner_states")))
        widest = await session.scalar(sa.text("select max(ability_variance) from topic_mastery"))
    assert parameters.irt.ability_variance == trial["content"]["ability_variance"] > 1.5
    assert {row[0] for row in folded} == {parameters.version}
    assert widest < parameters.irt.ability_variance
    # What serves the next answer was trained under these variances, or does not serve.
    [answered] = await rows_of(database, "next-answer")
    assert answered["content"]["prior_variances"] == trial["version"]
    assert await is_what_the_log_says(database, [learner(n) for n in (0, 3, 5)])
    newcomer = UUID("5f0c0000-0000-4000-8000-0000000000bb")
    await send(database, steady(1, 1), newcomer)
    await Live(database, analytics()).catch_up(newcomer)
    async with database.read(primary=True) as session:
        moved = sa.text("select abs(ability_mean) from topic_mastery where user_id = :who")
        assert await session.scalar(moved, {"who": newcomer}) > 0.5  # a wide prior moves far: .3 under the start value
    assert await is_what_the_log_says(database, [newcomer])
