"""Memory to disk: a disk that fails costs the host little, loses nothing that fits, and nothing out of order."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.support.tracking import KEY, note, options

from osler import clock
from osler.ingest.careful import check
from osler.tracking import Osler
from osler.tracking.sinks import Reply
from osler.tracking.spool import Spool


class Nobody:
    name = "nobody"

    def send(self, body: bytes) -> Reply:
        return Reply(0)

    def interrupt(self) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


@pytest.fixture
def osler(tmp_path: Path):
    made = Osler(Nobody(), KEY, options(tmp_path, memory_events=1_000))
    made._sender.start = lambda: None  # type: ignore[method-assign]
    yield made
    made._sender._recorder.close()


def test_a_full_disk_is_tried_with_a_little_and_takes_everything_in_order_once_it_can(
    osler: Osler, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = osler._sender._recorder
    tried: list[int] = []

    def full(self: Spool, items: list[Any], now_seconds: float) -> None:
        tried.append(len(items))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        for n in range(3):
            for k in range(300):
                note(osler, 300 * n + k)
            assert not recorder.to_disk()
        assert tried == [300, 256, 256]
        assert osler.counts.disk_failures == 3
    assert recorder.to_disk()
    assert recorder.spool is not None
    batch = recorder.spool.peek(most_events=10_000, most_bytes=10**9, most_learners=10)
    assert [json.loads(r.body)["data"]["note_id"] for r in batch.records] == [f"n{n}" for n in range(900)]


def test_a_request_is_the_event_that_a_host_could_have_sent_by_hand(osler: Osler) -> None:
    osler.request("s1", template="/quiz/{qid}", method="GET", status=201, seconds=0.0426, client="Linux Firefox")
    data = {"route": "/quiz/{qid}", "method": "GET", "status": 201, "duration_ms": 43, "client": "Linux Firefox"}
    assert osler.track_nowait("api_request", user="s1", data=data)
    noticed, sent = _bodies(osler)
    assert noticed["data"] == sent["data"] == data
    assert noticed.keys() == sent.keys()
    assert [check(each).type for each in (noticed, sent)] == ["api_request"] * 2


@pytest.mark.parametrize(("status", "template"), [(42, "/x"), (200, "/x?q=jane"), (999, "/x")])
def test_a_request_that_is_no_event_is_counted_and_not_kept(osler: Osler, status: int, template: str) -> None:
    for _ in range(2):
        osler.request("s1", template=template, method="GET", status=status, seconds=0.1, client="Other")
    note(osler, 1)
    assert [each["type"] for each in _bodies(osler)] == ["note_taken"]
    assert osler.refused == {"schema": 2}


def test_a_request_while_the_clock_has_lost_its_time_is_no_event(osler: Osler, monkeypatch) -> None:
    monkeypatch.setattr(clock, "unix_ms", lambda: 0)
    osler.request("s1", template="/x", method="GET", status=200, seconds=0.1, client="Other")
    assert not _bodies(osler)
    assert osler.refused == {"time": 1}


def test_what_many_threads_queue_while_the_disk_writes_is_all_there_once(osler: Osler) -> None:
    """Nothing is locked on the way in: nothing may fall between two turns of the disk."""
    recorder = osler._sender._recorder
    threads = [Thread(target=lambda k=k: [note(osler, 1000 * k + n) for n in range(200)]) for k in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert recorder.to_disk()
    assert sorted(each["data"]["note_id"] for each in _bodies(osler)) == sorted(
        f"n{1000 * k + n}" for k in range(4) for n in range(200)
    )


def _bodies(osler: Osler) -> list[dict[str, Any]]:
    recorder = osler._sender._recorder
    assert recorder.to_disk()
    assert recorder.spool is not None
    batch = recorder.spool.peek(most_events=10_000, most_bytes=10**9, most_learners=10)
    return [json.loads(record.body) for record in batch.records]


def test_ids_stay_while_a_disk_fails(osler: Osler, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = osler._sender._recorder
    note(osler, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
        assert not recorder.to_disk()
    [held] = recorder._held.take(1)
    recorder._held.put_back([held])
    assert recorder.to_disk()
    assert recorder.spool is not None
    [record] = recorder.spool.peek(most_events=9, most_bytes=10**6, most_learners=9).records
    assert record.body == held.body
