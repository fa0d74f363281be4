"""Study sessions: golden cases for boundaries, active time, days; and that live can start from any session."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import plain_sessions
from tests.support.timelines import timeline_of

from osler.analytics.efficiency import model
from osler.domain.events import LoggedEvent
from osler.domain.local_day import local_day

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEARNER = UUID(int=1)


def event(
    at_seconds, kind="question_submit", /, *, session=None, device="laptop", offset=0, topics=(), right=None,
    **data: Any,
):  # fmt: skip
    at = START + timedelta(seconds=at_seconds)
    if kind == "question_submit":
        data.setdefault("time_to_answer_seconds", 0)
    if kind == "flashcard_review":
        data.setdefault("rating", 3)
    wall = at + timedelta(minutes=offset)
    return LoggedEvent(
        user_id=LEARNER, event_id=UUID(int=int(at_seconds * 1000) + 10**9), event_ts=at, event_type=kind,
        effective_at=at, utc_offset_minutes=offset, local_date=local_day(wall), session_id=session, device_id=device,
        time_precision="ms", received_at=at, data=data, topic_ids=tuple(topics), is_correct=right,
    )  # fmt: skip


def sessionise(events):
    """What the database would give of these events, made into sessions."""
    return model.sessionise(timeline_of(events))


def minutes(sessions):
    return [(s.total_seconds / 60, s.active_seconds / 60) for s in sessions]


def test_a_gap_over_thirty_minutes_begins_another_session_and_thirty_does_not():
    assert len(sessionise([event(0), event(1800)])) == 1
    assert len(sessionise([event(0), event(1801)])) == 2


def test_active_time_is_cut_at_two_minutes_between_events():
    (one,) = sessionise([event(0), event(60), event(600)])
    assert (one.total_seconds, one.active_seconds) == (600, 60 + 120)


def test_a_stated_answer_time_counts_up_to_ten_minutes_and_within_the_session():
    (one,) = sessionise([event(0), event(1200, time_to_answer_seconds=900)])
    assert one.active_seconds == 120 + 600
    (early,) = sessionise([event(0, time_to_answer_seconds=500), event(30)])
    assert early.active_seconds == early.total_seconds == 30


def test_pauses_and_hidden_pages_are_taken_out_and_counted():
    (one,) = sessionise([
        event(0), event(60, "session_pause", reason="user"), event(100, "session_resume"), event(110),
        event(120, "session_focus", state="hidden"), event(150, "session_focus", state="visible"), event(160),
    ])  # fmt: skip
    assert one.active_seconds == 160 - 40 - 30
    assert one.interruptions == 2
    assert one.hidden_seconds == 30
    assert one.has_signals


def test_a_pause_without_a_resume_ends_with_the_next_answer():
    (one,) = sessionise([event(0), event(10, "session_pause", reason="call"), event(70), event(80)])
    assert one.active_seconds == 10 + 10


def test_a_short_glance_away_is_no_interruption():
    (one,) = sessionise([
        event(0), event(10, "session_focus", state="hidden"), event(19, "session_focus", state="visible"), event(30),
    ])  # fmt: skip
    assert one.interruptions == 0
    assert one.has_signals


def test_heartbeats_keep_a_reader_active():
    beats = [event(300 * i, "session_heartbeat", active_seconds=120, idle_seconds=0, visible=True) for i in (1, 2)]
    (one,) = sessionise([event(0, "material_open", material_id="m1", kind="text"), *beats])
    assert one.active_seconds == 120 + 120 + 120 + 120
    assert one.active_by_kind == {"text": 480}


# ---- E21: the rules of a session's ends


def test_a_double_end_is_ignored():
    sessions = sessionise([
        event(0, "session_start", session="a", mode="mixed", platform="web"), event(60, session="a"),
        event(90, "session_end", session="a", reason="user"), event(95, "session_end", session="a", reason="user"),
    ])  # fmt: skip
    assert minutes(sessions) == [(1.5, 1.5)]
    assert sessions[0].ended_explicitly


def test_an_end_without_a_start_closes_a_nameless_session_and_opens_none():
    assert sessionise([event(0, "session_end", session="x", reason="user")]) == []
    first, second = sessionise([event(0), event(50, "session_end", session="x", reason="user"), event(60)])
    assert (first.ended_explicitly, second.ended_explicitly) == (True, False)


def test_an_end_of_another_id_does_not_close_a_named_session():
    (one,) = sessionise([
        event(0, session="a"), event(50, "session_end", session="x", reason="user"), event(60, session="a"),
    ])  # fmt: skip
    assert not one.ended_explicitly


def test_overlapping_sessions_on_two_devices_are_one_and_count_once():
    (one,) = sessionise([
        event(0, "session_start", session="a", mode="mixed", platform="web"),
        event(30, "session_start", session="b", device="phone", mode="mixed", platform="ios"),
        event(60, session="a"), event(90, session="b", device="phone"),
        event(100, "session_end", session="a", reason="user"),
        event(120, session="b", device="phone"),
        event(130, "session_end", session="b", device="phone", reason="user"),
    ])  # fmt: skip
    assert (one.total_seconds, one.active_seconds) == (130, 130)
    assert one.multitasked_seconds == 70  # both devices from 30 to 100
    assert one.ended_explicitly


def test_a_lost_end_is_mended_by_the_next_start_on_the_same_device():
    first, second = sessionise([
        event(0, session="a"), event(60, session="a"),
        event(120, "session_start", session="b", mode="mixed", platform="web"), event(150, session="b"),
    ])  # fmt: skip
    assert (first.session_id, second.session_id) == ("a", "b")
    assert first.total_seconds == 60


def test_a_named_session_bridges_a_long_silence_but_a_time_out_does_not_prolong_it():
    (one,) = sessionise([event(0, session="a"), event(3600, session="a")])
    assert minutes([one]) == [(60, 2)]
    (timed_out,) = sessionise([event(0, session="a"), event(60, session="a"),
                               event(3600, "session_end", session="a", reason="timeout")])  # fmt: skip
    assert (timed_out.total_seconds, timed_out.ended_explicitly) == (60, True)
    assert len(sessionise([event(0, session="a"), event(4 * 3600 + 1, session="a")])) == 2


def test_changes_and_skips_are_no_attempts():
    changed: dict[str, Any] = {"from": ["A"], "to": ["B"]}  # `from` is no name of an argument
    (one,) = sessionise([
        event(0, "question_view", question_id="q1"),
        event(10, "question_answer_change", question_id="q1", **changed),
        event(20, question_id="q1", right=True), event(30, "question_skip", question_id="q2", seconds=5),
        event(40, question_id="q2", right=False), event(50, question_id="q3"),
    ])  # fmt: skip
    assert (one.questions, one.graded, one.correct) == (3, 2, 1)


def test_requests_and_reports_do_not_open_or_prolong_a_session():
    assert sessionise([event(0, "api_request"), event(5, "day_report")]) == []
    (one,) = sessionise([event(0), event(60), event(90, "api_request")])
    assert one.total_seconds == 60


# ---- days, topics


def test_a_session_over_the_day_boundary_gives_each_day_its_minutes():
    night = [event(s, offset=0) for s in range(18 * 3600 + 3540, 19 * 3600 + 121, 60)]  # 03:59 to 04:02
    (one,) = sessionise(night)
    assert one.total_by_day == {date(2026, 3, 2): 60, date(2026, 3, 3): 120}
    assert one.active_by_day == one.total_by_day
    assert one.active_by_hour == {(date(2026, 3, 2), 3): 60, (date(2026, 3, 3), 4): 120}


def test_hours_are_wall_clock_in_zones_of_half_hours():
    (one,) = sessionise([event(0, offset=330), event(60, offset=330)])
    assert one.active_by_hour == {(date(2026, 3, 2), 14): 60}


def test_topics_get_their_time_and_switches_are_counted():
    (one,) = sessionise([
        event(0, topics=["renal"], right=True), event(60, topics=["renal"], right=False),
        event(120, topics=["heart", "renal"], right=True),
    ])  # fmt: skip
    assert one.topic_switches == 1
    assert (one.by_topic["renal"].attempts, one.by_topic["renal"].correct) == (3, 2)
    assert one.by_topic["renal"].active_seconds == 90
    assert one.by_topic["heart"].active_seconds == 30


def test_breaks_are_five_to_thirty_minutes_without_activity():
    (one,) = sessionise([event(0), event(10), event(10 + 120 + 400), event(600)])
    assert one.break_seconds == (400.0,)


# ---- properties

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5000),
        st.sampled_from(["question_submit", "session_start", "session_end", "session_pause", "session_resume",
                         "session_focus", "session_heartbeat", "material_open", "api_request"]),
        st.sampled_from([None, "a", "b", "c"]), st.sampled_from(["laptop", "phone"]), st.integers(0, 300),
        st.sampled_from(["user", "timeout"]), st.sampled_from(["hidden", "visible"]),
    ),
    max_size=40,
)  # fmt: skip


def _build(rows, offset=0):
    at, events = 0, []
    for step, kind, session, device, stated, reason, state in rows:
        at += step + 1
        data = {"question_submit": {"time_to_answer_seconds": stated}, "session_end": {"reason": reason},
                "session_focus": {"state": state}, "material_open": {"material_id": "m", "kind": "text"},
                "session_heartbeat": {"active_seconds": min(stated, 120), "visible": True}}.get(kind, {})  # fmt: skip
        events.append(event(at, kind, session=session, device=device, offset=offset, **data))
    return events


@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_sessions_from_any_start_onward_equal_the_whole_and_time_adds_up(rows):
    events = _build(rows)
    whole = sessionise(events)
    for i, session in enumerate(whole):
        assert 0 <= session.active_seconds <= session.total_seconds
        assert sum(session.total_by_day.values()) == pytest.approx(session.total_seconds)
        assert sum(session.active_by_hour.values()) == pytest.approx(session.active_seconds)
        assert sum(session.active_by_kind.values()) == pytest.approx(session.active_seconds)
        assert session.multitasked_seconds <= session.active_seconds
        suffix = [e for e in events if e.order >= session.first_event]
        assert sessionise(suffix) == whole[i:]


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(0, 39))
def test_a_late_event_is_mended_from_the_last_session_before_it(rows, place):
    events = _build(rows)
    if not events:
        return
    late = events[place % len(events)]
    earlier = [s.first_event for s in sessionise([e for e in events if e is not late]) if s.first_event <= late.order]
    key = max(earlier) if earlier else None
    whole = sessionise(events)
    kept = [s for s in whole if key is not None and s.first_event < key]
    assert kept + sessionise([e for e in events if key is None or e.order >= key]) == whole


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.sampled_from([0, 150, 240]), st.sampled_from([-480, 0, 330]))
def test_all_sessions_at_once_are_what_the_plain_way_makes_one_by_one(rows, day_start, offset):
    events = _build(rows, offset)
    found = model.sessionise(timeline_of(events), day_start_minutes=day_start)
    wanted = plain_sessions.sessionise(events, day_start_minutes=day_start)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert_alike(asdict(one), asdict(other))


def assert_alike(a, b):
    """Equal, in the same order, floats to 1e-12."""
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key, value in a.items():
            assert_alike(value, b[key])
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-9)
    else:
        assert a == b
