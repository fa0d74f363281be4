"""A simulated learner is a function of its seed, sends what a real client would send, and is as busy as promised."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest

from osler.domain.event_types import EVENT_TYPES
from osler.domain.events import ATTEMPT_TYPES, MATERIAL_TYPES
from osler.domain.identity import is_uuid7, uuid7_ms
from osler.simulate.bank import Bank, make_bank
from osler.simulate.learner import SimLearner
from osler.simulate.truth import Effects, chance_correct, chance_recall, skill_after_practice

TOPICS = [f"system.t{n}" for n in range(40)]
FIRST = date(2026, 1, 1)
LATE = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(TOPICS, seed=5)


def test_the_same_seed_gives_the_same_events_and_another_seed_gives_others(bank: Bank) -> None:
    one = SimLearner(3, 5, bank, density=1).study(FIRST, 20, LATE)
    assert one == SimLearner(3, 5, bank, density=1).study(FIRST, 20, LATE)
    assert one != SimLearner(3, 6, bank, density=1).study(FIRST, 20, LATE)
    assert one != SimLearner(4, 5, bank, density=1).study(FIRST, 20, LATE)


def test_every_event_fits_its_schema_and_its_id_carries_its_time(bank: Bank) -> None:
    events = SimLearner(0, 5, bank, density=1).study(FIRST, 30, LATE)
    assert len({event["id"] for event in events}) == len(events) > 500
    for event in events:
        msgspec.convert(event["data"], EVENT_TYPES[event["type"]].data, strict=True)
        sent = datetime.fromisoformat(event["occurred_at"])
        assert is_uuid7(UUID(event["id"]))
        assert abs(uuid7_ms(UUID(event["id"])) - sent.timestamp() * 1000) <= 1


def test_nothing_is_sent_from_the_future(bank: Bank) -> None:
    until = datetime(2026, 1, 10, 12, tzinfo=UTC)
    events = SimLearner(1, 5, bank, density=1).study(FIRST, 30, until)
    assert events
    assert max(datetime.fromisoformat(event["occurred_at"]) for event in events) <= until


def test_density_one_is_about_as_busy_as_the_brief_says(bank: Bank) -> None:
    counts: Counter[str] = Counter()
    for index in range(30):
        counts.update(e["type"] for e in SimLearner(index, 5, bank, density=1).study(FIRST, 40, LATE))
    years = 30 * 40 / 365
    assert 35_000 < counts.total() / years < 65_000
    assert 3_500 < sum(counts[t] for t in ATTEMPT_TYPES) / years < 7_500
    assert 1_400 < sum(counts[t] for t in MATERIAL_TYPES) / years < 3_000


def test_practice_raises_the_true_chance_with_diminishing_returns() -> None:
    first = skill_after_practice(0.0, 0, 0.4)
    later = skill_after_practice(0.0, 40, 0.4)
    assert first > later > 0
    assert chance_correct(0, first, 0, tired=False) > chance_correct(0, 0, 0, tired=False)
    assert chance_correct(0, 0, 0, tired=True) < chance_correct(0, 0, 0, tired=False)
    assert chance_correct(-50, 0, 0, tired=False) == pytest.approx(0.2)


def test_true_forgetting_is_exponential() -> None:
    assert chance_recall(0, 5) == 1
    assert chance_recall(10, 5) == pytest.approx(chance_recall(5, 5) ** 2)


def test_a_session_has_one_start_and_one_end_and_its_events_lie_between(bank: Bank) -> None:
    events = SimLearner(2, 5, bank, density=1).study(FIRST, 15, LATE)
    by_session: dict[str, list[dict[str, object]]] = {}
    for event in events:
        by_session.setdefault(str(event["session_id"]), []).append(event)
    assert len(by_session) > 5
    for inside in by_session.values():
        types = [str(e["type"]) for e in inside]
        assert types.count("session_start") == types.count("session_end") == 1
        times = [datetime.fromisoformat(str(e["occurred_at"])) for e in inside]
        start = times[types.index("session_start")]
        assert min(times) == start
        assert max(times) - start < timedelta(hours=6)


def test_breaks_are_told_and_no_heartbeat_is_sent_in_them(bank: Bank) -> None:
    events = SimLearner(2, 5, bank, density=2).study(FIRST, 30, LATE)
    paused = False
    pauses = 0
    for event in sorted(events, key=lambda e: datetime.fromisoformat(e["occurred_at"])):
        paused = event["type"] == "session_pause" or (paused and event["type"] != "session_resume")
        pauses += event["type"] == "session_pause"
        assert not (paused and event["type"] == "session_heartbeat")
    assert pauses > 3


def test_a_planted_effect_of_rest_helps_the_ten_answers_after_a_break(bank: Bank) -> None:
    helped = SimLearner(2, 5, bank, density=3, effects=Effects(rest=1.0)).study(FIRST, 60, LATE)
    keys = {q.question_id: q.key for each in bank.questions.values() for q in each}
    looked_at = {"question_submit", "session_resume"}
    after = [e for e in sorted(helped, key=lambda e: str(e["occurred_at"])) if e["type"] in looked_at]
    rested = [a["data"] for b, a in pairwise(after) if b["type"] == "session_resume" and a["type"] == "question_submit"]
    assert len(rested) > 3
    assert all(data["answer"] == [keys[data["question_id"]]] for data in rested)
