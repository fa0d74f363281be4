"""The event service: what it takes, what it refuses without ever raising, and what a pseudonym is."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.support.event_strategies import data_of
from tests.support.tracking import KEY, everything_under, listening, note, options, tracking, until

from osler import clock
from osler.domain.event_types import EVENT_TYPES, Sender
from osler.domain.identity import uuid7_ms
from osler.errors import Misconfigured
from osler.ingest.careful import check
from osler.tracking import Osler, noted
from osler.tracking.http_sink import token_in
from osler.tracking.noted import Pseudonyms, assembled
from osler.tracking.priority import Queued
from osler.tracking.sinks import Reply

NOTE = {"material_id": "m1", "note_id": "n1", "action": "create", "length_chars": 3}
SENT = [kind for kind in EVENT_TYPES.values() if kind.sender is not Sender.SERVER]


class Kept:
    """A sink that keeps what it is given and accepts it."""

    name = "kept"

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def send(self, body: bytes) -> Reply:
        self.events += json.loads(body)["events"]
        return Reply(503)

    def interrupt(self) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


@pytest.fixture
def osler(tmp_path: Path):
    """A client whose events are looked at in memory: its threads never begin."""
    made = Osler(Kept(), KEY, options(tmp_path))
    made._sender.start = lambda: None  # type: ignore[method-assign]
    return made


def _queued(osler: Osler) -> list[dict[str, Any]]:
    return [
        json.loads(made.body)
        for each in osler._sender._recorder._taken()
        if isinstance(each, noted.Noted) and isinstance(made := assembled(each, b"0123456789"), Queued)
    ]


@given(data=st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_what_the_client_lets_through_osler_takes(osler: Osler, data: st.DataObject):
    kind = data.draw(st.sampled_from(SENT))
    made = data.draw(data_of(kind))
    if osler.track_nowait(kind.name, user="s1", data=made, tz="Europe/Paris"):
        [event] = _queued(osler)
        assert check(event).type == kind.name
        assert next(iter(event)) == "id"
    else:
        assert osler.refused["privacy"]


@pytest.mark.parametrize(
    ("reason", "event_type", "user", "data"),
    [
        ("type", "note_takes", "s1", NOTE),
        ("type", "question_regrade", "s1", {}),
        ("subject", "note_taken", "", NOTE),
        ("subject", "note_taken", "jane@hospital.example", NOTE),
        ("subject", "note_taken", 7, NOTE),
        ("schema", "note_taken", "s1", {**NOTE, "text": "what was written"}),
        ("schema", "note_taken", "s1", {**NOTE, "question_id": "q1"}),
        ("schema", "note_taken", "s1", {**NOTE, "note_id": "n1\n"}),
        ("schema", "note_taken", "s1", {**NOTE, "length_chars": "3"}),
        ("schema", "note_taken", "s1", None),
        ("schema", "note_taken", "s1", {**NOTE, "length_chars": object()}),
        ("schema", "material_progress", "s1", {"material_id": "m", "progress": float("nan"), "active_seconds": 1}),
        ("privacy", "note_taken", "s1", {**NOTE, "note_id": "192.168.7.12"}),
    ],
)
def test_a_mistake_of_the_host_is_counted_and_never_raised(osler, caplog, reason, event_type, user, data):
    assert osler.track_nowait(event_type, user=user, data=data) is False
    assert osler.refused == {reason: 1}
    assert _queued(osler) == []
    assert "jane" not in caplog.text


def test_a_warning_names_the_field_that_is_missing_once_for_each_type(osler: Osler, caplog):
    for _ in range(2):
        osler.track_nowait("material_open", user="s1", data={"material_id": "jane-canary"})
        osler.track_nowait("note_taken", user="s1", data={})
    first, second = [record.getMessage() for record in caplog.records]
    assert "material_open was not tracked (schema: it has no kind)" in first
    assert "note_taken" in second
    assert osler.refused == {"schema": 4}
    assert "canary" not in caplog.text


def test_an_event_that_osler_would_find_too_large_is_not_kept(osler: Osler, monkeypatch):
    monkeypatch.setattr(noted, "MOST_DATA_BYTES", 20)
    assert osler.track_nowait("note_taken", user="s1", data=NOTE) is False
    assert osler.refused == {"schema": 1}


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("time", {"at": datetime(2026, 1, 1)}),
        ("time", {"at": datetime(1971, 1, 1, tzinfo=UTC)}),
        ("schema", {"session_id": "not-a-uuid"}),
        ("schema", {"tz": "Europe/Paris; drop"}),
    ],
)
def test_common_fields_are_checked_too(osler: Osler, reason: str, more: dict[str, Any]):
    assert osler.track_nowait("note_taken", user="s1", data=NOTE, **more) is False
    assert osler.refused == {reason: 1}


def test_id_and_time_are_of_the_same_millisecond_and_the_offset_is_kept(osler: Osler):
    at = datetime(2026, 11, 22, 7, 28, 11, 4_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert osler.track_nowait("note_taken", user="s1", data=OrderedDict(NOTE), at=at)
    assert osler.track_nowait("note_taken", user="s1", data=NOTE)
    first, second = _queued(osler)
    assert first["occurred_at"] == "2026-11-22T07:28:11.004+05:30"
    assert uuid7_ms(UUID(first["id"])) == int(datetime.fromisoformat(first["occurred_at"]).timestamp() * 1000)
    assert second["occurred_at"].endswith("Z")


def test_a_pseudonym_follows_from_subject_and_key_alone_and_the_subject_is_not_in_it(osler: Osler, tmp_path: Path):
    again = Osler(Kept(), KEY, options(tmp_path))
    other = Osler(Kept(), b"another key", options(tmp_path))
    assert osler.pseudonym("jane") == again.pseudonym("jane") != other.pseudonym("jane")
    assert osler.pseudonym("jane").version == 4
    osler.track_nowait("note_taken", user="jane-subject", data=NOTE)
    assert "jane" not in json.dumps(_queued(osler))


@given(key=st.binary(max_size=200), subject=st.text())
def test_a_pseudonym_is_the_hmac_of_every_key_and_subject(key: bytes, subject: str):
    told = subject.encode("utf-8", "surrogatepass")
    assert Pseudonyms(key).of(subject) == hmac.digest(key, told, "sha256")[:16]


def test_an_event_is_copied_when_it_is_tracked_and_may_be_changed_afterwards(osler: Osler):
    answer = ["A"]
    data = {"question_id": "q-1", "answer": answer, "time_to_answer_seconds": 4.0, "mode": "timed"}
    assert osler.track_nowait("question_submit", user="s1", data=data)
    answer[0], data["question_id"] = "B", "jane@hospital.example"
    [event] = _queued(osler)
    assert (event["data"]["question_id"], event["data"]["answer"]) == ("q-1", ["A"])


@pytest.mark.parametrize("seconds", [0, 10**12])
def test_a_clock_that_has_lost_its_time_makes_no_event(osler: Osler, monkeypatch: pytest.MonkeyPatch, seconds: int):
    monkeypatch.setattr(clock, "unix_ms", lambda: seconds * 1000)
    assert osler.track_nowait("note_taken", user="s1", data=NOTE) is False
    assert osler.refused == {"time": 1}


def test_typed_functions_make_the_same_events(osler: Osler):
    assert osler.events.question_submit(
        user="s1", question_id="q-1", answer=["A"], time_to_answer_seconds=45.00049, mode="timed", confidence=4
    )
    assert osler.events.question_answer_change(user="s1", question_id="q-1", from_=["A"], to=["B"])
    data = {event["type"]: event["data"] for event in _queued(osler)}
    assert data["question_submit"] == {
        "question_id": "q-1", "answer": ["A"], "time_to_answer_seconds": 45.0, "mode": "timed", "confidence": 4
    }  # fmt: skip
    assert data["question_answer_change"] == {"question_id": "q-1", "from": ["A"], "to": ["B"]}


async def test_durable_returns_after_the_disk_and_flush_after_the_answer(tmp_path: Path):
    with listening() as server, tracking(server.url, tmp_path) as osler:
        assert await asyncio.wait_for(osler.track("note_taken", user="s1", data=NOTE, durable=True), 5)
        assert await osler.flush(5)
        assert len(server.stored) == 1
        assert await osler.track("note_taken", user="s1", data={}, durable=True) is False


async def test_a_flush_under_steady_traffic_ends(tmp_path: Path):
    with listening() as server, tracking(server.url, tmp_path) as osler:
        running = True

        async def traffic() -> None:
            n = 0
            while running:
                note(osler, n := n + 1)
                await asyncio.sleep(0.001)

        busy = asyncio.create_task(traffic())
        await asyncio.sleep(0.1)
        assert await osler.flush(5)
        running = False
        await busy


def test_a_loop_that_closes_while_an_event_is_being_written_harms_nobody(tmp_path: Path):
    with listening() as server, tracking(server.url, tmp_path) as osler:

        async def leave() -> None:
            task = asyncio.ensure_future(osler.track("note_taken", user="s1", data=NOTE, durable=True))
            await asyncio.sleep(0)
            task.cancel()

        asyncio.run(leave())
        assert osler._sender.wait_until_answered(5)
        assert len(server.stored) == 1


def test_an_event_after_close_begins_anew_and_close_twice_is_dull(tmp_path: Path):
    with listening() as server, tracking(server.url, tmp_path) as osler:
        note(osler, 1)
        osler.close()
        osler.close()
        note(osler, 2)
        assert osler._sender.wait_until_answered(5)
        assert len(server.stored) == 2


@pytest.mark.parametrize("missing", ["OSLER_URL", "OSLER_TOKEN", "OSLER_TRACKING_KEY"])
def test_from_env_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str):
    for name in ("OSLER_URL", "OSLER_TOKEN", "OSLER_TRACKING_KEY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv(missing)
    with pytest.raises(Misconfigured, match=f"^{missing} is not set: "):
        Osler.from_env()


def test_a_token_in_a_file_is_read_again_each_time(tmp_path: Path):
    (tmp_path / "token").write_text("one\n")
    token = token_in(tmp_path / "token")
    assert token() == "one"
    (tmp_path / "token").write_text("two")
    assert token() == "two"


def test_without_a_home_the_host_is_told_which_folder_to_name(monkeypatch: pytest.MonkeyPatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("OSLER_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(Misconfigured, match="OSLER_HOME"):
        Osler.from_env()


def test_an_event_that_no_thread_can_be_started_for_is_on_disk_when_the_host_ends(tmp_path: Path, monkeypatch):
    """So it is at the very end of an interpreter, in another's `atexit`."""
    with listening() as server, tracking(server.url, tmp_path) as osler:

        def refused(_: Thread) -> None:
            raise RuntimeError("can't start new thread at interpreter shutdown")

        with monkeypatch.context() as patch:
            patch.setattr(Thread, "start", refused)
            assert note(osler, 1)
            osler.close()
        assert b'"n1"' in everything_under(tmp_path)
        osler.start()
        assert until(lambda: len(server.stored) == 1)


def test_a_client_that_was_never_used_leaves_nothing_behind(tmp_path: Path):
    with tracking("http://127.0.0.1:9", tmp_path) as osler:
        osler.close()
    assert not list(tmp_path.iterdir())
