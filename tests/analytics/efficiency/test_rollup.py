"""Days and weeks counted by SQL, held against a recount in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from tests.support.learning import LEARNER, OTHER, START, answer, derived, event, history, send, small_catalogue

from osler.analytics.contract import Days
from osler.analytics.efficiency.rollup import aggregate_daily_stats, recount_days, recount_weeks
from osler.analytics.efficiency.tables import daily_user_stats, study_sessions, weekly_user_stats
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.live.catch_up import Live

pytestmark = pytest.mark.integration
ALL = [daily_user_stats, weekly_user_stats]


def local_dates(events: list[dict]) -> list[date]:
    return sorted({date.fromisoformat(e["occurred_at"][:10]) for e in events})


async def count(database: Database, days: list[date], user_id=LEARNER) -> None:
    async with database.write() as s:
        await recount_days(s, Days([user_id] * len(days), days))
        await recount_weeks(s, Days([user_id] * len(days), days))


async def test_a_month_of_days_equals_a_recount_event_by_event(database: Database):
    await small_catalogue(database)
    events = history(30)
    await send(database, events)
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database, local_dates(events))
    rows = {r["local_date"]: r for r in (await derived(database, [daily_user_stats], LEARNER))["daily_user_stats"]}
    by_day = defaultdict(list)
    for e in events:
        by_day[date.fromisoformat(e["occurred_at"][:10])].append(e)
    assert rows.keys() == by_day.keys()
    seen: set[str] = set()
    for day, own in sorted(by_day.items()):
        kinds = Counter(e["type"] for e in own)
        asked = [e for e in own if e["type"] == "question_submit"]
        right = [e for e in asked if e["data"]["answer"] == ["A"]]
        rated = [e for e in own if e["type"] == "flashcard_review"]
        fresh = {e["data"]["question_id"] for e in asked} - seen
        seen |= fresh
        row = rows[day]
        assert row["events"] == len(own)
        assert (row["questions"], row["correct"]) == (len(asked), len(right))
        assert (row["reviews"], row["reviews_passed"]) == (len(rated), sum(e["data"]["rating"] > 1 for e in rated))
        assert row["first_attempts"] == len(fresh)
        assert row["materials"] == kinds["material_progress"]
        assert row["answer_seconds"] == pytest.approx(sum(e["data"]["time_to_answer_seconds"] for e in asked + rated))
        assert sum(n for n, _ in row["hours"].values()) == len(asked) + len(rated)
        assert 0 <= row["active_seconds"] <= row["total_seconds"]


async def test_weeks_are_the_sums_of_their_days(database: Database):
    await small_catalogue(database)
    events = history(20)
    await send(database, events)
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database, local_dates(events))
    found = await derived(database, ALL, LEARNER)
    for week in found["weekly_user_stats"]:
        own = [d for d in found["daily_user_stats"] if 0 <= (d["local_date"] - week["week_on"]).days < 7]
        for name in ("events", "questions", "correct", "reviews", "first_attempts", "sessions", "active_seconds"):
            assert week[name] == pytest.approx(sum(d[name] for d in own)), name
    assert sum(w["questions"] for w in found["weekly_user_stats"]) == 80


async def test_counting_twice_is_dull(database: Database):
    await small_catalogue(database)
    events = history(5)
    await send(database, events)
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database, local_dates(events))
    before = await derived(database, ALL, LEARNER)
    await count(database, local_dates(events))
    assert await derived(database, ALL, LEARNER) == before


async def test_a_late_first_attempt_moves_the_later_day_too(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    later = START + timedelta(days=3)
    await send(database, [answer(later, 1, "q0", right=True)])
    await live.catch_up(LEARNER)
    await count(database, [later.date()])
    await send(database, [answer(START, 2, "q0", right=False)])
    await live.catch_up(LEARNER)
    await count(database, [START.date()])
    rows = (await derived(database, [daily_user_stats], LEARNER))["daily_user_stats"]
    assert [(r["local_date"], r["first_attempts"]) for r in rows] == [(START.date(), 1), (later.date(), 0)]


async def test_the_briefs_call_counts_one_day_of_everybody(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    for learner in (LEARNER, OTHER):
        await send(database, [answer(START, 1, "q0", right=True)], learner)
        await live.catch_up(learner)
    assert await aggregate_daily_stats(START.date(), db=database) == 2
    assert await aggregate_daily_stats(START.date() + timedelta(days=9), db=database) == 0
    assert len((await derived(database, [daily_user_stats], OTHER))["daily_user_stats"]) == 1


async def test_a_session_over_the_edge_of_the_day_gives_each_day_its_minutes(database: Database):
    await small_catalogue(database)
    edge = START.replace(hour=3, minute=50) + timedelta(days=1)
    events = [answer(edge + timedelta(minutes=2 * n), n, f"q{n}", right=True, seconds=60) for n in range(10)]
    await send(database, events)
    await Live(database, analytics()).catch_up(LEARNER)
    await count(database, [START.date() + timedelta(days=1)])
    [session] = (await derived(database, [study_sessions], LEARNER))["study_sessions"]
    rows = (await derived(database, [daily_user_stats], LEARNER))["daily_user_stats"]
    assert [r["local_date"] for r in rows] == [START.date(), START.date() + timedelta(days=1)]
    assert sum(r["total_seconds"] for r in rows) == pytest.approx(session["total_seconds"])
    assert [r["sessions"] for r in rows] == [1, 0]


async def test_an_explicit_end_closes_the_session_before_the_answer_is_given(database: Database):
    await small_catalogue(database)
    live = Live(database, analytics())
    own = {"session_id": "0190c6d0-0000-7000-8000-000000000001"}
    data = {"mode": "practice", "platform": "web"}
    await send(database, [event(START, 1, "session_start", data, **own)])
    await send(database, [answer(START + timedelta(minutes=1), 2, "q0", right=True) | own])
    await live.catch_up(LEARNER)
    await send(database, [event(START + timedelta(minutes=2), 3, "session_end", {"reason": "user"}, **own)])
    await live.catch_up(LEARNER)
    [session] = (await derived(database, [study_sessions], LEARNER))["study_sessions"]
    assert session["is_ended"]
    assert session["total_seconds"] == 120
    assert session["questions"] == 1


@pytest.mark.parametrize("pieces", [1, 3, 17])
async def test_sessions_do_not_depend_on_how_events_were_split_or_ordered(database: Database, pieces: int):
    await small_catalogue(database)
    events = history(6)
    live = Live(database, analytics())
    await send(database, events)
    await live.catch_up(LEARNER)
    wanted = (await derived(database, [study_sessions], LEARNER))["study_sessions"]
    shuffled = [event for start in range(pieces) for event in events[start::pieces]]
    for start in range(0, len(shuffled), max(1, len(shuffled) // pieces)):
        await send(database, shuffled[start : start + len(shuffled) // pieces], OTHER)
        await live.catch_up(OTHER)
    found = (await derived(database, [study_sessions], OTHER))["study_sessions"]
    strip = [{k: v for k, v in row.items() if k != "user_id"} for row in found]
    assert strip == [{k: v for k, v in row.items() if k != "user_id"} for row in wanted]
