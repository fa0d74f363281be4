"""Simulated learners whose habits do help, sent the real way in: the night finds out, and says so on both pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, derived, send, small_catalogue
from tests.support.nightly import night

from osler.analytics.contract import Moments
from osler.analytics.efficiency.answer import answer as efficiency_page
from osler.analytics.efficiency.queries import efficiency_of
from osler.analytics.patterns.answer import answer as patterns_page
from osler.analytics.patterns.gather import gathered
from osler.analytics.patterns.queries import patterns_of
from osler.analytics.patterns.rollup import refresh
from osler.analytics.patterns.tables import learner_insights
from osler.catalog import items
from osler.catalog.tables import topics
from osler.db.engine import Database
from osler.ingest.intake import ingest_events
from osler.simulate.bank import make_bank
from osler.simulate.learner import SimLearner
from osler.simulate.truth import Effects

pytestmark = pytest.mark.integration
FIRST = date(2026, 7, 6)
DAYS = 98
TOPICS = [f"system.t{n}" for n in range(24)]
AS_OF = datetime(2026, 10, 13, 4, tzinfo=UTC)


async def test_notes_and_rest_that_help_are_found_and_a_second_night_changes_nothing(database: Database):
    bank = make_bank(TOPICS, 3, questions_each=20, materials_each=4)
    async with database.write() as s:
        rows = [{"topic_id": t, "name": t, "level": 0, "axis": "system", "board_exam_weight": 5.0} for t in TOPICS]
        await s.execute(sa.insert(topics), rows)
        questions = {q.question_id: q.topic_ids for each in bank.questions.values() for q in each}
        keys = {q.question_id: (q.key,) for each in bank.questions.values() for q in each}
        await items.add_questions(s, questions, source="simulator", keys=keys, option_count=5)
        read = {m.material_id: (m.kind, (m.topic_id,), m.minutes) for each in bank.materials.values() for m in each}
        await items.add_materials(s, read)
        await items.note_change(s, "sample")
        await s.execute(sa.text("insert into users (user_id, time_zone) values (:u, 'UTC')"), {"u": LEARNER})
    learner = SimLearner(1, 3, bank, density=3, effects=Effects(notes=0.3, rest=0.2))
    often = replace(learner.truth.habits, breaks_per_hour=2.5, break_minutes=(5.5, 9.0), share_questions=0.6)
    learner.truth = replace(learner.truth, habits=often, gain=0.0)
    events = learner.study(FIRST, DAYS, AS_OF - timedelta(days=1))
    taken = await ingest_events(database, events, LEARNER)
    assert taken.counts["accepted"] == len(events)
    await night(database, [LEARNER], AS_OF, [])
    found = await derived(database, [learner_insights], LEARNER)
    shown = {row["insight"] for row in found["learner_insights"] if row["is_shown"]}
    assert {"notes", "rest"} <= shown
    async with database.write() as s:
        await refresh(s, Moments([LEARNER], [AS_OF]))
        patterns = patterns_page(await patterns_of(s, LEARNER, AS_OF))
        efficiency = efficiency_page(await efficiency_of(s, LEARNER, AS_OF))
    assert await derived(database, [learner_insights], LEARNER) == found
    said = {one["code"]: one["text"] for one in patterns["highlights"]}
    assert "Taking notes is associated with +" in said["patterns.notes"]
    assert "A break of 5–10 min is associated with +" in said["patterns.rest"]
    assert efficiency["highlights"] == patterns["highlights"]
    lacking = {"insight": "sleep", "status": "not_available", "enabled_by": "day_report.sleep_minutes"}
    assert lacking in patterns["insights"]


async def test_the_breaks_that_are_looked_at_are_those_that_sessions_count(database: Database):
    await small_catalogue(database)
    bank = make_bank(["cardio", "renal", "neuro"], 3)
    learner = SimLearner(4, 3, bank, density=2)
    learner.truth = replace(learner.truth, habits=replace(learner.truth.habits, breaks_per_hour=3.0))
    async with database.write() as s:
        await s.execute(sa.text("insert into users (user_id, time_zone) values (:u, 'UTC')"), {"u": LEARNER})
    await send(database, learner.study(FIRST, 20, AS_OF))
    await night(database, [LEARNER], AS_OF, [])
    async with database.read() as s:
        counted = await s.rows(sa.text("select unnest(break_seconds) as seconds from study_sessions"))
        found = (await gathered(s, Moments([LEARNER], [AS_OF]), [FIRST]))[LEARNER]
    inside = sorted(one.seconds for one in found.frame.breaks if not one.is_between)
    assert len(inside) > 10
    assert inside == pytest.approx(sorted(row["seconds"] for row in counted), abs=0.01)
