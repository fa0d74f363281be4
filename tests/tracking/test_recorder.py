"""Memory to disk: a disk that fails costs the host little, loses nothing that fits, and nothing out of order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.tracking import KEY, note, options

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
