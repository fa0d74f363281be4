"""Gaps of a night: the brief's numbers, the order, what opened when; the same night twice is the same."""

from __future__ import annotations

from uuid import UUID

import pytest
from tests.support.learning import LEARNER, derived
from tests.support.nightly import enrol, exam_catalogue, night, studied

from osler.analytics.contract import Moments
from osler.analytics.gaps import model
from osler.analytics.gaps.rollup import refresh
from osler.analytics.gaps.tables import knowledge_gaps
from osler.analytics.mastery.tables import topic_daily_stats, topic_mastery
from osler.db.engine import Database

pytestmark = pytest.mark.integration


async def gaps(database: Database, user_id: UUID = LEARNER) -> dict[str, dict]:
    return {r["topic_id"]: r for r in (await derived(database, [knowledge_gaps], user_id))["knowledge_gaps"]}


async def test_every_number_is_the_models_own(database: Database):
    await exam_catalogue(database)
    await studied(database)
    found = await gaps(database)
    mastery = {r["topic_id"]: r for r in (await derived(database, [topic_mastery], LEARNER))["topic_mastery"]}
    assert found.keys() == {"cardio", "renal", "neuro"}
    for topic, gap in found.items():
        assert gap["gap_score"] == pytest.approx(1 - mastery[topic]["mastery_score"])
        args = (gap["gap_score"], gap["board_exam_weight"], gap["prerequisite_impact"], gap["recent_failure_rate"])
        assert gap["priority_score"] == pytest.approx(model.priority_score(*args))
        assert gap["priority_index"] == pytest.approx(model.priority_index(*args))
        assert gap["severity"] == model.classify_severity(gap["gap_score"], gap["priority_score"])
        assert gap["n"] == mastery[topic]["attempts"]
        assert gap["estimated_hours"] is None or gap["hours_low"] <= gap["estimated_hours"]
    assert found["cardio"]["blocks_count"] == 1
    assert found["cardio"]["prerequisite_impact"] > 0
    assert found["renal"]["recommended_path"][-1] == "renal"
    assert sorted(g["rank"] for g in found.values()) == [1, 2, 3]
    by_rank = sorted(found.values(), key=lambda g: g["rank"])
    assert [g["priority_index"] for g in by_rank] == sorted((g["priority_index"] for g in by_rank), reverse=True)


async def test_a_gap_opened_on_the_first_measured_day_of_it(database: Database):
    await exam_catalogue(database)
    await studied(database)
    days = (await derived(database, [topic_daily_stats], LEARNER))["topic_daily_stats"]
    for topic, gap in (await gaps(database)).items():
        if gap["state"] in {"weak", "open"}:
            measured = [d for d in days if d["topic_id"] == topic and d["mastery"] and d["attempts_to_date"] >= 5]
            assert gap["opened_on"] in {d["local_date"] for d in measured}
            assert 0 <= gap["progress"] <= 1


async def test_the_same_night_twice_writes_the_same_rows(database: Database):
    await exam_catalogue(database)
    as_of = await studied(database, 10)
    before = await gaps(database)
    async with database.write() as s:
        await refresh(s, Moments([LEARNER], [as_of]))
    assert await gaps(database) == before


async def test_a_learner_without_answers_has_unseen_topics_and_no_numbers(database: Database):
    await exam_catalogue(database)
    await enrol(database)
    as_of = await studied(database, 1, UUID(int=9))
    await night(database, [LEARNER], as_of, [])
    for gap in (await gaps(database)).values():
        assert gap["state"] == "unseen"
        assert gap["severity"] is None
        assert gap["gap_score"] is None
        assert gap["mastery"] is None
        assert gap["n"] == 0
