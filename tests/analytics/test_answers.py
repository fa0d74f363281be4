"""The answers of efficiency, gaps, readiness, patterns, plan and the dashboard, asked of the real application."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from tests.support.learning import LEARNER
from tests.support.nightly import EXAM, enrol, exam_catalogue, studied
from tests.support.web import Web

from osler.analytics.efficiency.schemas import EfficiencyAnswer
from osler.analytics.gaps.schemas import GapsAnswer, GraphAnswer
from osler.analytics.patterns.schemas import PatternsAnswer
from osler.analytics.plan.schemas import PlanAnswer
from osler.analytics.readiness.schemas import ReadinessAnswer, WhatIfAnswer
from osler.api.summary import DashboardAnswer
from osler.http.policy import Role

pytestmark = pytest.mark.integration

ANSWERS: dict[str, type[BaseModel]] = {
    "efficiency": EfficiencyAnswer,
    "knowledge-gaps": GapsAnswer,
    "knowledge-gaps/graph": GraphAnswer,
    "exam-readiness": ReadinessAnswer,
    "study-patterns": PatternsAnswer,
    "plan": PlanAnswer,
    "dashboard": DashboardAnswer,
}


async def ask(web: Web, path: str, user_id: UUID = LEARNER) -> dict[str, Any]:
    response = await web.client.get(f"/api/analytics/{path}", headers=web.auth(user_id))
    assert response.status_code == 200, response.text
    return response.json()


async def test_every_answer_has_the_shape_that_openapi_promises(web: Web):
    await exam_catalogue(web.platform.db)
    await studied(web.platform.db)
    for path, model in ANSWERS.items():
        found = await ask(web, path)
        model.model_validate(found, strict=False)
        assert set(found) == set(model.model_fields), path
        assert found["state"] == "ready", (path, found["finding"])
        assert found["n"] > 0
        assert found["as_of"]
        assert found["model_version"]
        assert found["finding"]["text"]


async def test_an_empty_learner_gets_an_answer_and_no_invented_number(web: Web):
    await exam_catalogue(web.platform.db)
    for path, model in ANSWERS.items():
        found = await ask(web, path, UUID(int=77))
        model.model_validate(found, strict=False)
        assert found["state"] in {"first_use", "too_little"}, path
        assert found["n"] == 0
        assert found["interval"] is None


async def test_without_any_catalogue_the_answers_still_stand(web: Web):
    for path, model in ANSWERS.items():
        model.model_validate(await ask(web, path, UUID(int=78)), strict=False)


async def test_nothing_is_answered_without_a_token(web: Web):
    for path in ANSWERS:
        assert (await web.client.get(f"/api/analytics/{path}")).status_code == 401


async def test_gaps_carry_their_factors_and_the_briefs_sentences(web: Web):
    await exam_catalogue(web.platform.db)
    await studied(web.platform.db)
    found = await ask(web, "knowledge-gaps")
    assert found["ranked_by"] == "priority_index"
    first = found["gaps"][0]
    assert first["rank"] == 1
    assert first["severity"] in {"critical", "high", "medium", "low"}
    assert first["priority_index"] == max(gap["priority_index"] for gap in found["gaps"])
    texts = [f["text"] for gap in found["gaps"] for f in gap["findings"]]
    assert any(text.startswith("This topic is a prerequisite for 1 other.") for text in texts)
    assert all(gap["recommended_materials"] == [] for gap in found["gaps"]), "all was read to the end"
    only = await web.client.get("/api/analytics/knowledge-gaps?limit=1&state=unseen", headers=web.auth(LEARNER))
    assert only.json()["gaps"] == []
    assert only.json()["state"] == "done"
    assert (await web.client.get("/api/analytics/knowledge-gaps?limit=0", headers=web.auth(LEARNER))).status_code == 422


async def test_readiness_is_said_with_its_range_and_as_uncalibrated(web: Web):
    await exam_catalogue(web.platform.db)
    await studied(web.platform.db)
    found = await ask(web, "exam-readiness")
    score, chance = found["predicted_score"], found["pass_probability"]
    assert score["interval"]["low"] <= score["value"] <= score["interval"]["high"]
    assert chance["interval"]["low"] <= chance["value"] <= chance["interval"]["high"]
    assert found["exam_ready_probability"] is None, "no bare percent before results have been seen"
    assert found["model_report"]["outcomes"] == 0
    assert found["source"] == "closed_form"
    assert found["status"] == "provisional"
    assert found["calibration"] == "uncalibrated"
    assert found["coverage"] == pytest.approx(1)
    assert len(found["sections"]) == 3
    assert found["features"]["questions_attempted_total"] == 120
    assert found["projection"]
    assert found["days_until_ready"]["share_never"] is not None


async def test_more_minutes_do_not_lower_the_forecast(web: Web):
    await exam_catalogue(web.platform.db)
    await studied(web.platform.db)
    url = "/api/analytics/exam-readiness/what-if"
    more = await web.client.post(url, json={"minutes_per_day": 180}, headers=web.auth(LEARNER))
    assert more.status_code == 200, more.text
    WhatIfAnswer.model_validate(more.json(), strict=False)
    assert more.json()["score_gain"]["value"] >= 0
    assert more.json()["label"] == "model estimate"
    same = await web.client.post(url, json={}, headers=web.auth(LEARNER))
    assert same.json()["score_gain"]["value"] == pytest.approx(0)


async def test_an_outcome_is_recorded_and_corrected_and_an_unknown_exam_refused(web: Web):
    await exam_catalogue(web.platform.db)
    await enrol(web.platform.db, web.learner)
    url = "/api/analytics/exam-readiness/outcomes"
    body = {"exam_id": EXAM, "exam_on": "2026-11-01", "passed": False}
    assert (await web.client.post(url, json=body, headers=web.auth())).status_code == 201
    again = await web.client.post(url, json={**body, "passed": True, "score": 0.7}, headers=web.auth())
    assert again.status_code == 201
    assert again.json()["source"] == "learner"
    assert (await web.client.post(url, json={**body, "exam_id": "none"}, headers=web.auth())).status_code == 404
    assert (await web.client.post(url, json={**body, "passed": None}, headers=web.auth())).status_code == 422
    ahead = await web.client.post(url, json={**body, "exam_on": "2099-01-01"}, headers=web.auth())
    assert (ahead.status_code, ahead.json()["code"]) == (422, "outcome.ahead")


async def test_the_plan_works_without_an_exam(web: Web):
    await exam_catalogue(web.platform.db)
    db = web.platform.db
    await studied(db)
    with_exam = await ask(web, "plan")
    assert with_exam["block"]["reason"]["text"]
    assert len(with_exam["days"]) == 7
    assert 0 <= with_exam["surety"] <= 1
    assert with_exam["alternatives"]
    async with db.write() as s:
        await s.driver().execute("delete from user_exams")
    await web.platform.answers.cache.bump(LEARNER)
    without = await ask(web, "plan")
    assert without["exam_on"] is None
    assert without["block"] is not None


async def test_staff_may_not_read_a_learner_who_is_not_theirs(web: Web):
    await exam_catalogue(web.platform.db)
    await studied(web.platform.db, 2)
    for path in ANSWERS:
        response = await web.client.get(
            f"/api/analytics/{path}?user_id={LEARNER}", headers=web.auth(UUID(int=5), Role.EDUCATOR)
        )
        assert response.status_code == 404
