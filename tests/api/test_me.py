"""The caller's own entry: what it says, what it takes, what it refuses."""

from datetime import timedelta

import pytest
from tests.support.web import Web

from osler import clock
from osler.catalog.writes import change_settings, choose_exam, ensure_user
from osler.errors import InvalidInput

pytestmark = pytest.mark.integration


async def test_a_new_learner_gets_defaults(web: Web) -> None:
    answer = await web.get("/api/me")
    assert answer.status_code == 200, answer.text
    me = answer.json()
    assert me["user_id"] == str(web.learner)
    assert me["settings"] == {"time_zone": "UTC", "day_start_minutes": 240, "desired_retention": 0.9}
    assert me["exam"] is None
    assert me["consents"] == {"analytics": True, "cohort": False, "research": False, "wellbeing": False}


async def test_settings_change_what_they_name_and_nothing_else(web: Web) -> None:
    answer = await web.client.put("/api/me", json={"time_zone": "Asia/Kolkata"}, headers=web.auth())
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"]["time_zone"] == "Asia/Kolkata"
    again = (await web.get("/api/me")).json()
    assert again["settings"] == {"time_zone": "Asia/Kolkata", "day_start_minutes": 240, "desired_retention": 0.9}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"time_zone": "Mars/Olympus"}, "schema.type"),
        ({"time_zone": "localtime"}, "schema.type"),
        ({"day_start_minutes": 400}, "schema.range"),
        ({"desired_retention": 0.5}, "schema.range"),
        ({"role": "program_admin"}, "schema.unknown_field"),
    ],
)
async def test_settings_out_of_range_are_refused_with_a_code(web: Web, body: dict[str, object], code: str) -> None:
    answer = await web.client.put("/api/me", json=body, headers=web.auth())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        '{"desired_retention": 0.8, "desired_retention": 0.9}',
        '{"desired_retention": 0.8, "\\u0064esired_retention": 0.9}',
    ],
)
async def test_a_key_that_is_said_twice_is_refused(web: Web, body: str) -> None:
    headers = {**web.auth(), "content-type": "application/json"}
    answer = await web.client.put("/api/me", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")
    assert (await web.get("/api/me")).json()["settings"]["desired_retention"] == 0.9
    within = await web.client.put(
        "/api/me/consent", content='{"purpose": "cohort", "given": {"a": 1, "a": 1}}', headers=headers
    )
    assert within.status_code == 400


async def test_a_zone_that_the_database_does_not_know_is_refused(web: Web) -> None:
    """With such a zone every later question about the learner would end in an error."""
    async with web.platform.db.write() as s:
        with pytest.raises(InvalidInput):
            await change_settings(s, web.learner, {"time_zone": "localtime-of-nowhere"})


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_an_exam_day_off_the_calendar_is_refused(web: Web, day: str) -> None:
    choice = {"exam_id": "any", "exam_on": day}
    for method, path in [("PUT", "/api/me/exam"), ("POST", "/api/analytics/exam-readiness/what-if")]:
        body = choice if method == "PUT" else {"exam_on": day}
        answer = await web.client.request(method, path, json=body, headers=web.auth())
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "schema.range"


def _from_now(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


async def test_an_exam_on_a_day_that_is_over_is_not_chosen_and_the_refusal_says_what_to_do(web: Web) -> None:
    """In the learner's zone: where it is still yesterday, yesterday's exam lies ahead."""
    async with web.platform.db.write() as s:
        await s.driver().execute("insert into exams (exam_id, name, question_count) values ('step-1', 'Step 1', 280)")
        await ensure_user(s, web.learner, time_zone="Pacific/Pago_Pago")
    over = await web.client.put(
        "/api/me/exam", json={"exam_id": "step-1", "exam_on": _from_now(-3)}, headers=web.auth()
    )
    assert over.status_code == 422
    assert over.json()["code"] == "exam.past"
    assert "null while there is none" in over.json()["detail"]
    assert (await web.get("/api/me")).json()["exam"] is None
    today = (await web.get("/api/me")).json()["today"]
    kept = await web.client.put("/api/me/exam", json={"exam_id": "step-1", "exam_on": today}, headers=web.auth())
    assert kept.status_code == 200, kept.text


async def test_a_past_exam_that_an_import_brought_is_still_told(web: Web) -> None:
    async with web.platform.db.write() as s:
        await s.driver().execute("insert into exams (exam_id, name, question_count) values ('step-1', 'Step 1', 280)")
        await ensure_user(s, web.learner)
        over = (clock.now() - timedelta(days=40)).date()
        await choose_exam(s, web.learner, "step-1", exam_on=over, minutes_per_day=None, goal_score=None)
    me = (await web.get("/api/me")).json()
    assert me["exam"]["exam_on"] == over.isoformat()
    assert me["days_to_exam"] == 0


async def test_an_unknown_exam_is_not_chosen(web: Web) -> None:
    answer = await web.client.put("/api/me/exam", json={"exam_id": "no-such-exam"}, headers=web.auth())
    assert answer.status_code == 404
    assert answer.json()["code"] == "exam.unknown"


async def test_an_exam_is_chosen_and_another_takes_its_place(web: Web) -> None:
    async with web.platform.db.write() as s:
        await s.driver().execute(
            "insert into exams (exam_id, name, question_count) "
            "values ('step-1', 'Step 1', 280), ('shelf', 'Shelf', 110)"
        )
    chosen = {"exam_id": "step-1", "exam_on": _from_now(112), "minutes_per_day": [60] * 7, "goal_score": 0.7}
    answer = await web.client.put("/api/me/exam", json=chosen, headers=web.auth())
    assert answer.status_code == 200, answer.text
    assert answer.json()["exam"] == chosen
    assert answer.json()["days_to_exam"] > 0
    await web.client.put("/api/me/exam", json={"exam_id": "shelf"}, headers=web.auth())
    assert (await web.get("/api/me")).json()["exam"]["exam_id"] == "shelf"


async def test_a_withdrawn_consent_is_stored_as_null_and_a_given_one_with_its_instant(web: Web) -> None:
    for purpose, given in (("analytics", False), ("cohort", True)):
        answer = await web.client.put("/api/me/consent", json={"purpose": purpose, "given": given}, headers=web.auth())
        assert answer.status_code == 200
        assert answer.json()["consents"][purpose] is given
    async with web.platform.db.read() as s:
        stored = await s.driver().fetchval("select consents from users where user_id = $1", web.learner)
    assert stored["analytics"] is None
    assert stored["cohort"].startswith("20")


async def test_exams_and_topics_are_listed(web: Web) -> None:
    assert (await web.get("/api/exams")).json() == {"exams": []}
    assert (await web.get("/api/exams/none")).status_code == 404
    assert (await web.get("/api/topics")).json() == {"topics": [], "n": 0}
