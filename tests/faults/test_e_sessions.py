"""E21: what changed, undone, skipped and doubled actions come to in the derived rows; golden cases, to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests.support.learning import LEARNER, derived, small_catalogue
from tests.support.sending import codes, sending
from tests.support.wire_events import batch, event, now_ms

from osler.analytics.efficiency.tables import daily_user_stats, study_sessions
from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live import draining
from osler.live.catch_up import Live
from osler.rollups.draining import drain

pytestmark = [pytest.mark.integration, pytest.mark.fault]

A, B = UUID(int=0xA1), UUID(int=0xB2)
DAY = 86_400_000
NOON = now_ms() // DAY * DAY - DAY + DAY // 2  # yesterday, far from every edge of a day

START = {"mode": "mixed", "platform": "web"}
Said = tuple[int, str, dict[str, Any]]


def right(at: int, question: str = "q0", **more: Any) -> Said:
    return (at, "question_submit", {"question_id": question, "answer": ["A"], "time_to_answer_seconds": 5.0, **more})


def wrong(at: int, question: str = "q0") -> Said:
    return right(at, question, answer=["B"])


@dataclass(frozen=True)
class Case:
    """What each device said of which session, and what a reader would expect of it.

    `sessions`: seconds in all, answers, ended by its own end. `day`: attempts, right, first attempts, first right.
    """

    said: dict[tuple[str, UUID | None], list[Said]]
    sessions: list[tuple[int, int, bool]]
    day: tuple[int, int, int, int]
    attempts: int


CASES = {
    "an answer changed before it was given is one attempt, as given": Case(
        {("web", A): [(0, "session_start", START), (5, "question_answer_change", {
            "question_id": "q0", "from": ["B"], "to": ["A"]}), right(20)]},
        [(20, 1, False)], (1, 1, 1, 1), 1,
    ),
    "an answer given again is a second attempt, and the first stays the first": Case(
        {("web", A): [wrong(0), right(30)]}, [(30, 2, False)], (2, 1, 1, 0), 2,
    ),
    "what is undone is a later event; both are study": Case(
        {("web", A): [right(0), (10, "bookmark", {"material_id": "m1", "on": True}),
                      (20, "bookmark", {"material_id": "m1", "on": False})]},
        [(20, 1, False)], (1, 1, 1, 1), 1,
    ),
    "skipped is no attempt; answered later is the first": Case(
        {("web", A): [(0, "question_skip", {"question_id": "q0", "seconds": 12.5}), right(40)]},
        [(40, 1, False)], (1, 1, 1, 1), 1,
    ),
    "a second end changes nothing": Case(
        {("web", A): [(0, "session_start", START), right(10), (60, "session_end", {"reason": "user"}),
                      (65, "session_end", {"reason": "user"})]},
        [(60, 1, True)], (1, 1, 1, 1), 1,
    ),
    "an end without a start opens nothing": Case(
        {("web", B): [(0, "session_end", {"reason": "user"})], ("web", A): [right(10)]},
        [(0, 1, False)], (1, 1, 1, 1), 1,
    ),
    "two devices at once are one session, whose time counts once": Case(
        {("web", A): [(0, "session_start", START), right(60), (100, "session_end", {"reason": "user"})],
         ("phone", B): [(30, "session_start", {**START, "platform": "ios"}), wrong(90, "q3"),
                        (130, "session_end", {"reason": "user"})]},
        [(130, 2, True)], (2, 1, 2, 1), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
async def test_e21_the_derived_rows_of_a_days_story(database: Database, what: str) -> None:
    case = CASES[what]
    await small_catalogue(database)
    send = sending(database)
    for (device, session), story in case.said.items():
        events = [
            event(kind, ms=NOON + at * 1000, session_id=None if session is None else str(session), data=data)
            for at, kind, data in story
        ]
        taken = await send(batch(events, device_id=device), LEARNER)
        assert codes(taken) == ["accepted"] * len(events)
    await draining.drain(database, Live(database, analytics()))
    await drain(database, analytics())
    found = await derived(database, [study_sessions, daily_user_stats, topic_mastery], LEARNER)
    assert [(s["total_seconds"], s["questions"], s["is_ended"]) for s in found["study_sessions"]] == case.sessions
    [day] = found["daily_user_stats"]
    assert (day["questions"], day["correct"], day["first_attempts"], day["first_correct"]) == case.day
    assert sum(row["questions_attempted"] for row in found["topic_mastery"]) == case.attempts
