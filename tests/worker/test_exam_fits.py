"""From a forecast before the exam to a model that results taught: on simulated learners, end to end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.exam_class import SNAPSHOT_DAYS, Sat, live_through, night_of, prepare, record, simulated
from tests.support.learning import answer, send
from tests.support.nightly import EXAM, exam_catalogue
from tests.support.web import Web

from osler import clock
from osler.analytics.readiness.tables import exam_outcomes, exam_snapshots
from osler.analytics.registry import analytics
from osler.catalog.tables import users
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.evaluate import exam_training
from osler.forecasts.exam_models import FOLDER
from osler.forecasts.tables import models, predictions
from osler.live.catch_up import Live
from osler.science.exam_learned import Calibration, ExamModel
from osler.worker.exam_fits import NAME, scored
from osler.worker.night import night_of as jobs_of

pytestmark = pytest.mark.integration

FEW = 12


def past_days(count: int, step: int = 3) -> list[Any]:
    """Exam days that are over, oldest first."""
    today = clock.now().date()
    return [today - timedelta(days=2 + step * n) for n in reversed(range(count))]


async def rows(database: Database, table: sa.Table, *order: sa.Column[Any]) -> list[dict[str, Any]]:
    async with database.read(primary=True) as s:
        return [dict(row) for row in await s.rows(sa.select(table).order_by(*order))]


async def snapshots(database: Database) -> list[dict[str, Any]]:
    return await rows(database, exam_snapshots, *exam_snapshots.primary_key.columns)


async def forecasts(database: Database) -> list[dict[str, Any]]:
    found = await rows(database, predictions, *predictions.primary_key.columns)
    return [row for row in found if row["task"] == "exam"]


async def of_exams(database: Database) -> list[dict[str, Any]]:
    return [row for row in await rows(database, models, models.c.promoted_at) if row["task"] == "exam"]


async def fit(database: Database) -> None:
    await jobs_of(database).run(NAME, again=True)


async def ask(web: Web, user_id: UUID) -> dict[str, Any]:
    await web.platform.answers.cache.bump(user_id)
    answer = await web.client.get("/api/analytics/exam-readiness", headers=web.auth(user_id))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sat_exams(database: Database, count: int, days: int, density: float = 0.2) -> list[Sat]:
    await exam_catalogue(database)
    bank = await prepare(database)
    found = simulated(bank, count, past_days(days), density=density)
    await live_through(database, found)
    return found


@pytest.mark.slow
async def test_forecasts_become_calibrated_and_then_trained_models_are_tried_by_the_rule(web: Web, monkeypatch):
    monkeypatch.setattr(exam_training, "TREES", 30)
    db = web.platform.db
    sat = await sat_exams(db, 150, 10)
    await the_forecasts_were_written_before_the_results(db, sat)
    who = sat[-1].user_id

    first = await ask(web, who)
    assert (first["calibration"], first["model_report"]["version"]) == ("uncalibrated", None)

    await record(db, sat[:25])
    await fit(db)
    few = await ask(web, who)
    assert (few["calibration"], few["status"], few["model_report"]["outcomes"]) == ("uncalibrated", "provisional", 25)
    assert few["exam_ready_probability"] is None, "no bare percent"
    assert few["pass_probability"]["interval"] is not None
    assert few["pass_probability"]["value"] == pytest.approx(first["pass_probability"]["value"], abs=1e-6)

    await record(db, sat[25:60])
    await fit(db)
    some = await ask(web, who)
    assert (some["calibration"], some["status"], some["source"]) == ("logistic", "ok", "closed_form")
    assert some["exam_ready_probability"] == some["pass_probability"]["value"] != first["pass_probability"]["value"]
    assert some["model_report"]["version"] in some["model_version"]
    assert "Too few" in some["model_report"]["says"]
    assert (few["model_report"]["forecasts"], few["model_report"]["brier"]) == (0, {}), "a single result is not told"

    await record(db, sat[60:])
    await fit(db)
    all_of_it = await ask(web, who)
    report = all_of_it["model_report"]
    assert 140 <= report["outcomes"] <= 150, "all but those who had practised too little of the exam"
    assert set(report["brier"]) == {"logistic", "random_forest", "recalibrated", "base_rate", "closed_form", "served"}
    assert 0 <= report["held"] <= report["forecasts"] <= 150
    assert report["forecasts"] > 100
    if report["source"] == "closed_form":
        assert "did not beat" in report["says"]
    else:
        assert report["brier"][report["source"]] < min(report["brier"]["closed_form"], report["brier"]["base_rate"])
    if all_of_it["status"] != "cannot_tell":
        assert all_of_it["source"] == report["source"]
    await every_version_has_its_signed_file(db)
    await refused_when_tampered_with(web, who, report["version"])


async def the_forecasts_were_written_before_the_results(database: Database, sat: list[Sat]) -> None:
    about, told = {one.user_id: one for one in sat}, await forecasts(database)
    assert len(told) > 1.5 * len(sat)
    for row in told:
        one = about[row["user_id"]]
        assert row["about"] == f"{EXAM}/{one.exam_on}"
        assert row["as_of"].date() < one.exam_on
        assert 0 <= row["low"] <= row["score"] <= row["high"] <= 1
        assert row["model_version"].startswith("projection-")
    frozen = await snapshots(database)
    assert {row["milestone"] for row in frozen} == set(SNAPSHOT_DAYS)
    score = {one.user_id: one.score for one in sat}
    pairs = [(row["expected"], score[row["user_id"]]) for row in frozen if row["milestone"] == 7]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.4, "the closed form knows something of the simulated learners"


async def every_version_has_its_signed_file(database: Database) -> None:
    kept = await of_exams(database)
    assert [row["learners"] for row in kept][:2] == [25, 60]
    assert all(row["trained_until"] and row["promoted_at"] for row in kept)
    for row in kept:
        assert (database.settings.home / FOLDER / row["content"]["file"]).exists()
    again = len(kept)
    await fit(database)
    assert len(await of_exams(database)) == again, "nothing new, no row"


async def refused_when_tampered_with(web: Web, who: UUID, version: str) -> None:
    from osler.forecasts import exam_models

    path = web.platform.db.settings.home / FOLDER / f"{version}.model.json"
    path.write_bytes(path.read_bytes().replace(b'"cut":0.85', b'"cut":0.45'))
    exam_models.forget()
    answer = await ask(web, who)
    assert answer["model_report"]["version"] not in {None, version}, "the one before it serves"


async def test_later_events_change_no_frozen_feature(database: Database):
    sat = await sat_exams(database, FEW, 2)
    kept, told = await snapshots(database), await forecasts(database)
    assert len(kept) == 2 * FEW
    for one in sat:
        at = clock.now() - timedelta(hours=5)
        wrong = [answer(at + timedelta(minutes=n), n, f"q{n % 12}", right=False) for n in range(20)]
        await send(database, wrong, one.user_id)
        await Live(database, analytics()).catch_up(one.user_id)
    for one in sat:
        for row in [row for row in kept if row["user_id"] == one.user_id]:
            await night_of(database, [one], row["as_of"])
    await night_of(database, sat, clock.now())
    assert await snapshots(database) == kept
    assert await forecasts(database) == told


async def test_a_result_that_was_known_before_the_forecast_teaches_nothing(database: Database):
    sat = await sat_exams(database, FEW, 2)
    await record(database, sat)
    async with database.write() as s:
        await s.execute(sa.update(exam_outcomes).values(recorded_at=clock.now() - timedelta(days=400)))
    await fit(database)
    assert await of_exams(database) == []


async def test_simulated_learners_teach_nothing_where_there_are_real_ones(database: Database):
    sat = await sat_exams(database, FEW, 2)
    await record(database, sat)
    async with database.write() as s:
        samples = [one.user_id for one in sat[:7]]
        await s.execute(sa.update(users).where(users.c.user_id.in_(samples)).values(is_sample=True))
    await fit(database)
    [row] = await of_exams(database)
    assert row["learners"] == FEW - 7


async def test_a_model_that_an_erased_learner_was_in_leaves_once_another_serves(database: Database, admin: Driver):
    sat = await sat_exams(database, FEW, 2)
    await record(database, sat[:7])
    await fit(database)
    await admin.execute("update models set flagged_at = now() where task = 'exam'")
    await admin.execute("delete from exam_outcomes where user_id = $1", sat[0].user_id)
    await fit(database)
    assert [row["content"] != {} for row in await of_exams(database)] == [True, True], "a replay of the night reads it"
    await fit(database)
    [old, new] = await of_exams(database)
    assert (old["content"], new["learners"]) == ({}, 6)
    assert not (database.settings.home / FOLDER / f"{old['version']}.model.json").exists()
    assert (database.settings.home / FOLDER / new["content"]["file"]).exists()


def test_the_same_results_in_any_order_of_rows_say_the_same_of_the_forecasts_to_the_last_bit():
    """Else a week without a new result would bring a new version of the model."""
    rng = np.random.default_rng(5)
    told = [
        {"probability": p, "low": p - 0.1, "high": p + 0.1, "score": s, "passed": s > 0.6}
        for p, s in zip(rng.uniform(size=97).tolist(), rng.uniform(size=97).tolist(), strict=True)
    ]
    model = ExamModel("e", 0.6, 97, 97, Calibration("logistic", 97, (0.0,), (1.0,)))
    first = scored(model, told)
    assert first.brier["served"] > 0
    for _ in range(200):
        assert scored(model, [told[n] for n in rng.permutation(97)]) == first
