"""The review plan of a night: wired into the answers, inside the minutes, before the exam, the same twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, derived, review, send
from tests.support.nightly import enrol, exam_catalogue, night, recently, studied
from tests.support.web import Web

from osler.analytics.contract import Moments
from osler.analytics.plan.blocks import REVIEW_SHARE
from osler.analytics.plan.rollup import LEAST_REVIEWS, costs_of, refresh
from osler.analytics.plan.schemas import ListAnswer
from osler.analytics.plan.tables import study_plans
from osler.analytics.registry import analytics
from osler.catalog import items
from osler.catalog.carried import Carried
from osler.catalog.tables import user_exams
from osler.db.engine import Database
from osler.eventlog import marks
from osler.eventlog.tombstones import KEY_NAME
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.writing import write_carried
from osler.live.catch_up import Live
from osler.live.replay import Replay
from osler.observe.keys import secret_key
from osler.science.review_simulator import Costs
from osler.worker.night import night_of
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration
UNSEEN = 12


async def with_cards(database: Database) -> Any:
    """A learner with a month of study, an exam in forty days, and cards on the exam's topics, some never seen."""
    await exam_catalogue(database)
    await enrol(database, exam_on=None)
    topics = ("cardio", "renal", "neuro")
    async with database.write() as s:
        seen = {f"c{n}": (topics[n % 3],) for n in range(5)}
        new = {f"new/{n}": (topics[n % 3],) for n in range(UNSEEN)}
        await items.map_cards(s, LEARNER, {**seen, **new}, mapped_by="test")
    return await studied(database)


async def plans(database: Database) -> list[dict[str, Any]]:
    return (await derived(database, [study_plans], LEARNER))["study_plans"]


async def ask(web: Web, path: str) -> dict[str, Any]:
    await web.platform.answers.cache.bump(LEARNER)
    answer = await web.client.get(f"/api/analytics/{path}", headers=web.auth(LEARNER))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_night_plans_inside_the_minutes_and_before_the_exam(database: Database):
    as_of = await with_cards(database)
    [plan] = await plans(database)
    assert plan["as_of"] == as_of
    assert plan["desired_retention"] in (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    left = len(range(plan["as_of"].date().toordinal(), plan["exam_on"].toordinal()))
    assert (plan["exam_on"] - plan["last_days_from"]).days in (7, 14, left)
    assert [window for _, window, _ in plan["tried"]] == [7, 14, left] * 6
    assert plan["expected_recall"] == pytest.approx(max(row[2] for row in plan["tried"]), abs=1e-6)
    assert (plan["cards"], plan["unseen"]) == (5 + 12, UNSEEN), "cards, and questions that were met on two days"
    assert all(date.fromisoformat(day) < plan["exam_on"] for day, _ in plan["due"])
    assert sum(seconds for _, seconds in plan["counts"].values()) <= 60 * plan["minutes"]
    assert len(plan["listed"]) == sum(n for n, _ in plan["counts"].values())
    assert [entry for entry in plan["listed"] if entry.startswith("new/card/new/")]


async def test_suspended_cards_are_in_no_plan_seen_or_new(database: Database):
    as_of = await with_cards(database)
    async with database.write() as s:
        changed = await items.tell_suspended(s, LEARNER, [], ["c0", "new/0", "new/1"])
        await marks.mark_cards(s, LEARNER, changed)
    await Live(database, analytics()).catch_up(LEARNER)
    async with database.write() as s:
        await refresh(s, Moments([LEARNER], [as_of]))
    [plan] = await plans(database)
    assert (plan["cards"], plan["unseen"]) == (5 + 12 - 1, UNSEEN - 2)
    assert not {"new/card/new/0", "new/card/new/1"} & set(plan["listed"])
    assert not [entry for entry in plan["listed"] if entry.endswith("/card/c0")]


async def test_a_new_card_that_an_export_brings_makes_the_plan_owed(database: Database):
    await with_cards(database)
    assert (await verify_now(database)).report.equal
    brought = Carried("cards", LEARNER, {"card_id": "new/more", "topic_ids": ["renal"]})
    async with database.write() as s:
        await write_carried(s, [brought], ImportReport("jsonl", notes=[]), secret_key(database.settings.home, KEY_NAME))
    assert (await verify_now(database)).report.equal
    [plan] = await plans(database)
    assert plan["unseen"] == UNSEEN + 1


async def test_the_same_night_twice_and_a_replay_give_the_same_plan(database: Database):
    as_of = await with_cards(database)
    before = await plans(database)
    async with database.write() as s:
        await refresh(s, Moments([LEARNER], [as_of]))
    assert await plans(database) == before
    report = await Replay(database, analytics()).verify([LEARNER])
    assert report.tables["study_plans"].rows == 1
    assert report.tables["study_plans"].equal


async def test_a_plan_says_by_which_memory_it_was_made_and_is_made_again_when_that_is_refitted(database: Database):
    await with_cards(database)
    async with database.write() as session:
        await items.map_cards(session, LEARNER, {f"f{n}": ("renal",) for n in range(5)}, mapped_by="test")
    made = [  # nearly always forgotten after a day: nothing like the population
        review(recently(39 - day) + timedelta(hours=6, minutes=n), 10_000 + 100 * day + n, f"f{n}", rating)
        for day in range(38)
        for n, rating in enumerate(3 if (day * 7 + n) % 10 == 0 else 1 for n in range(5))
    ]
    await send(database, made)
    assert (await verify_now(database)).report.equal
    [before] = await plans(database)
    assert before["model_version"] == "review-plan-1+population"
    assert await night_of(database).run("fit_memory", again=True) == "succeeded"
    async with database.read(primary=True) as s:
        version = await s.scalar(sa.text("select version from memory_parameters"))
        assert await s.scalar(sa.text("select 'accepted' in (fsrs_verdict, sbd_verdict) from memory_parameters"))
    assert await plans(database) == [before], "it stands until the night, or until somebody asks for a replay"
    assert (await verify_now(database)).report.equal
    [after] = await plans(database)
    assert after["model_version"] == f"review-plan-1+{version}"
    assert (after["cards"], after["planned_on"]) == (before["cards"], before["planned_on"])


async def test_the_plan_reaches_the_answers_and_what_was_reviewed_leaves_it(web: Web):
    db = web.platform.db
    await with_cards(db)
    [row] = await plans(db)
    plan = await ask(web, "plan")
    assert plan["review_plan"]["desired_retention"] == row["desired_retention"]
    assert "not proven" in plan["review_plan"]["finding"]["text"]
    assert plan["block"]["kind"] == "review"
    listed = await ask(web, "plan/cards")
    ListAnswer.model_validate(listed, strict=False)
    assert [f"{c['item_kind']}/{c['item_id']}" for c in listed["cards"]] == [e.split("/", 1)[1] for e in row["listed"]]
    assert (await ask(web, "dashboard"))["due_today"] == plan["days"][0]["due"]

    first = next(c for c in listed["cards"] if c["item_id"].startswith("c"))
    await send(db, [review(recently(0), 90_000, first["item_id"], 3)])
    await Live(db, analytics()).catch_up(LEARNER)
    again = await ask(web, "plan/cards")
    assert [c["item_id"] for c in again["cards"] if c["is_reviewed"]] == [first["item_id"]]
    assert (await ask(web, "plan"))["review_plan"]["reviewed"] == 1


async def test_another_exam_day_waits_for_the_next_night(web: Web):
    await with_cards(web.platform.db)
    async with web.platform.db.write() as s:
        await s.execute(sa.update(user_exams).values(exam_on=recently(-9).date()))
    assert (await ask(web, "plan"))["review_plan"] is None
    assert (await ask(web, "plan/cards"))["cards"] == []


@pytest.mark.parametrize("why", ["no exam", "exam over", "weeks without study"])
async def test_without_an_exam_ahead_or_study_there_is_no_plan(database: Database, why: str):
    as_of = await with_cards(database)
    async with database.write() as s:
        if why == "no exam":
            await s.execute(sa.delete(user_exams))
        elif why == "exam over":
            await s.execute(sa.update(user_exams).values(exam_on=recently(1).date()))
    if why == "weeks without study":
        await night(database, [LEARNER], as_of + timedelta(days=40), [])
    else:
        await night(database, [LEARNER], as_of, [])
    assert await plans(database) == []


def test_reviews_cost_what_they_usually_cost_until_there_are_enough():
    few = {"n": LEAST_REVIEWS - 1, "pass_seconds": 3.0, "fail_seconds": 9.0}
    assert costs_of(few) == Costs()
    assert costs_of({**few, "n": LEAST_REVIEWS}) == Costs(20.0, 3.0, 9.0)
    assert costs_of({**few, "n": 40, "fail_seconds": None}) == Costs(20.0, 3.0, 18.0)
    assert 0 < REVIEW_SHARE < 1
