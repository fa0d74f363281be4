"""The queue on disk: order, bounds, adoption, and what is left after a crash at any point."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from osler.tracking import segments
from osler.tracking.folders import open_root, try_lock
from osler.tracking.positions import Position
from osler.tracking.priority import Queued
from osler.tracking.spool import Spool

NOW = 1_790_000_000.0


def _spool(root: Path, **more: float) -> Spool:
    limits = {"segment_bytes": 1_000, "most_bytes": 100_000, "most_days": 30.0, **more}
    return Spool(root, **limits)  # type: ignore[arg-type]


def _items(*names: str, event_type: str = "note_taken", size: int = 0) -> list[Queued]:
    return [Queued(event_type, f"user-{name}", name.encode() + b" " * size) for name in names]


def _names(spool: Spool) -> list[str]:
    batch = spool.peek(most_events=10_000, most_bytes=10**9, most_learners=10_000)
    return [record.body.decode().strip() for record in batch.records]


def _age(spool: Spool, seconds: float) -> None:
    for path in spool.folder.glob("*.seg"):
        os.utime(path, (seconds, seconds))


def test_what_is_appended_comes_out_in_order_over_many_segments(tmp_path: Path):
    spool = _spool(tmp_path)
    names = [str(n) for n in range(100)]
    for name in names:
        spool.append(_items(name, size=50), NOW)
    assert len(list(spool.folder.glob("*.seg"))) > 5
    got: list[str] = []
    while (batch := spool.peek(most_events=7, most_bytes=10**9, most_learners=10**9)).records:
        assert len(batch.records) <= 7
        got += [record.body.decode().strip() for record in batch.records]
        spool.advance(batch.after, batch.generation)
    assert got == names
    assert len(list(spool.folder.glob("*.seg"))) <= 1


def test_a_batch_is_bounded_by_bytes_and_learners_but_never_empty(tmp_path: Path):
    spool = _spool(tmp_path)
    spool.append(_items("a", "b", "c", size=90), NOW)
    assert len(spool.peek(most_events=9, most_bytes=1, most_learners=9).records) == 1
    assert len(spool.peek(most_events=9, most_bytes=200, most_learners=9).records) == 2
    assert len(spool.peek(most_events=9, most_bytes=10**6, most_learners=2).records) == 2


def test_only_this_user_may_look_into_it(tmp_path: Path):
    spool = _spool(tmp_path / "deep" / "root")
    spool.append(_items("a"), NOW)
    for path in (tmp_path / "deep" / "root", spool.folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in spool.folder.glob("*.seg")} == {0o600}


def test_a_root_that_is_a_link_or_somebody_elses_is_not_used(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="belongs to somebody else"):
        open_root(tmp_path / "link")
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    open_root(tmp_path / "open")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


def test_a_living_folder_is_left_alone_and_a_dead_one_adopted_from_where_it_was(tmp_path: Path):
    first = _spool(tmp_path)
    first.append(_items("a", "b", "c"), NOW)
    batch = first.peek(most_events=1, most_bytes=10**6, most_learners=9)
    first.advance(batch.after, batch.generation)
    first.park(first.peek(most_events=1, most_bytes=10**6, most_learners=9).records, due_ms=5)
    second = _spool(tmp_path)
    second.adopt_dead()
    assert _names(second) == []
    first.close()
    second.append(_items("mine"), NOW)
    second.adopt_dead()
    second.release_due(now_ms=5, most_ms=100)
    assert sorted(_names(second)) == ["b", "b", "c", "mine"]
    assert not first.folder.exists()
    second.append(_items("after"), NOW)
    assert _names(second)[-1] == "after"


def test_an_empty_folder_is_gone_after_it_was_closed(tmp_path: Path):
    spool = _spool(tmp_path)
    spool.append(_items("a"), NOW)
    batch = spool.peek(most_events=9, most_bytes=10**6, most_learners=9)
    spool.advance(batch.after, batch.generation)
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_at_once_adopt_each_event_exactly_once(tmp_path: Path):
    for n in range(12):
        left = _spool(tmp_path)
        left.append(_items(f"e{n}"), NOW)
        left.close()
    barrier = threading.Barrier(6)
    spools: list[Spool] = []

    def begin() -> None:
        barrier.wait()
        spool = _spool(tmp_path)
        spool.adopt_dead()
        spools.append(spool)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(spools) == 6
    assert sorted(name for spool in spools for name in _names(spool)) == sorted(f"e{n}" for n in range(12))
    assert len(list(tmp_path.iterdir())) == 6


def test_a_lock_on_a_folder_that_was_removed_meanwhile_is_no_lock(tmp_path: Path):
    folder = tmp_path / "f"
    folder.mkdir()
    held = try_lock(folder)
    assert held is not None
    assert try_lock(folder) is None
    (folder / "lock").unlink()
    assert try_lock(folder) is not None
    (folder / "lock").unlink()
    folder.rmdir()
    assert try_lock(folder) is None


def test_a_full_spool_drops_by_class_the_stored_before_the_new_and_counts_each(tmp_path: Path):
    spool = _spool(tmp_path, most_bytes=4_000)
    spool.append(_items(*(f"r{n}" for n in range(20)), event_type="api_request", size=50), NOW)
    spool.append(_items(*(f"p{n}" for n in range(10)), event_type="material_progress", size=50), NOW)
    told: list[bool] = []
    submits = [Queued("question_submit", "u", b"s%d" % n + b" " * 50, told.append) for n in range(30)]
    spool.append(submits, NOW)
    names = _names(spool)
    assert [name for name in names if name[0] == "s"] == [f"s{n}" for n in range(30)]
    assert spool.dropped["api_request"] == 20
    assert not spool.dropped["question_submit"]
    assert told == [True] * 30
    spool.append(_items("late", event_type="api_request", size=2_000), NOW)
    assert spool.dropped["api_request"] == 21
    assert [name for name in _names(spool) if name[0] == "s"] == [f"s{n}" for n in range(30)]
    assert spool.size_bytes() <= 4_000


def test_a_spool_full_of_what_a_learner_did_refuses_requests_without_reading_it_again(tmp_path: Path, monkeypatch):
    """A quarter of a gigabyte read at every flush would take the interpreter from the host."""
    spool = _spool(tmp_path, most_bytes=4_000)
    for n in range(30):
        spool.append(_items(f"s{n}", event_type="question_submit", size=50), NOW)
    segments_then = sorted(spool.folder.glob("*.seg"))
    monkeypatch.setattr(segments, "read_from", lambda *_: pytest.fail("a segment was read"))
    for n in range(20):
        spool.append(_items(f"r{n}", event_type="api_request", size=2_000), NOW)
    assert spool.dropped == {"api_request": 20}
    assert sorted(spool.folder.glob("*.seg")) == segments_then


def test_room_is_made_in_adopted_segments_too(tmp_path: Path):
    first = _spool(tmp_path)
    first.append(_items(*(f"r{n}" for n in range(20)), event_type="api_request", size=50), NOW)
    first.close()
    spool = _spool(tmp_path, most_bytes=3_000)
    spool.adopt_dead()
    spool.append(_items(*(f"s{n}" for n in range(20)), event_type="question_submit", size=50), NOW)
    assert spool.dropped == {"api_request": 20}
    assert _names(spool) == [f"s{n}" for n in range(20)]


def test_a_batch_that_was_on_its_way_while_segments_were_rewritten_moves_nothing(tmp_path: Path):
    spool = _spool(tmp_path, most_bytes=3_000, segment_bytes=100_000)
    spool.append([*_items("keep"), *_items(*"abcdefgh", event_type="api_request", size=200)], NOW)
    batch = spool.peek(most_events=3, most_bytes=10**6, most_learners=99)
    spool.append(_items("new", size=1_800), NOW)
    assert spool.generation == batch.generation + 1
    spool.advance(batch.after, batch.generation)
    assert _names(spool)[0] == "keep"
    assert "new" in _names(spool)


def test_events_older_than_thirty_days_are_given_up_and_counted(tmp_path: Path):
    spool = _spool(tmp_path, segment_bytes=1)
    spool.append(_items("old"), NOW)
    _age(spool, NOW - 31 * 86_400)
    spool.append(_items("new"), NOW + 60)
    assert _names(spool) == ["old", "new"]
    for look in range(2, 62):
        spool.append([], NOW + 60 * look)
    assert _names(spool) == ["new"]
    assert spool.dropped == {"note_taken": 1}


def test_a_clock_that_is_wrong_for_a_while_gives_nothing_up(tmp_path: Path):
    spool = _spool(tmp_path, segment_bytes=1)
    spool.append(_items("a", "b"), NOW)
    _age(spool, NOW)
    for look in range(50):
        spool.append([], NOW + 9 * 365 * 86_400 + 60 * look)
    for look in range(3):
        spool.append([], NOW + 60 * look)
    for look in range(50):
        spool.append([], NOW + 9 * 365 * 86_400 + 60 * look)
    assert _names(spool) == ["a", "b"]
    assert not spool.dropped


def test_damage_in_the_middle_costs_the_rest_of_its_segment_alone_and_is_counted(tmp_path: Path):
    spool = _spool(tmp_path, segment_bytes=200)
    for name in ("a", "b", "c", "d", "e", "f"):
        spool.append(_items(name, size=30), NOW)
    first = min(spool.folder.glob("*.seg"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 0xFF
    first.write_bytes(bytes(data))
    names = _names(spool)
    assert names[-1] == "f"
    assert len(names) < 6
    batch = spool.peek(most_events=99, most_bytes=10**6, most_learners=99)
    spool.advance(batch.after, batch.generation)
    assert spool.torn_bytes > 0


def test_damage_in_the_segment_being_written_does_not_hide_what_comes_after(tmp_path: Path):
    spool = _spool(tmp_path)
    spool.append(_items("a"), NOW)
    [path] = spool.folder.glob("*.seg")
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert _names(spool) == []
    spool.append(_items("b"), NOW)
    assert _names(spool) == ["b"]


def test_a_write_that_fails_half_way_leaves_only_whole_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that is full in the middle of a record: the file is cut back, and the next write begins a segment."""
    spool = _spool(tmp_path, segment_bytes=10**6)
    spool.append(_items("a"), NOW)
    real, calls = os.write, []

    def full(handle: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(handle, bytes(data[: len(data) // 2]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            spool.append(_items("b", "c"), NOW)
    assert len(calls) == 2
    spool.append(_items("d"), NOW)
    assert _names(spool) == ["a", "d"]


CRASH = """
import os, sys
from pathlib import Path
from osler.tracking.positions import Position
from osler.tracking.priority import Queued
from osler.tracking.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=400, most_bytes=10**6, most_days=30)
for n in range(10**6):
    spool.append([Queued("note_taken", "u", b"%08d" % n)], 1.0 * 10**9)
    print(n, flush=True)
    if n % 7 == 6:
        batch = spool.peek(most_events=3, most_bytes=10**6, most_learners=9)
        spool.advance(batch.after, batch.generation)
        print("answered", batch.records[-1].body.decode(), flush=True)
"""


@pytest.mark.parametrize("lines", [3, 40, 333])
def test_a_process_killed_at_any_point_leaves_everything_that_was_appended(tmp_path: Path, lines: int):
    process = subprocess.Popen([sys.executable, "-c", CRASH, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().split() for _ in range(lines)]
    process.kill()
    said += [line.split() for line in process.stdout.read().splitlines()]
    assert process.wait(5) == -9
    process.stdout.close()
    written = max(int(words[0]) for words in said if words and words[0] != "answered")
    answered = max([int(words[1]) for words in said if len(words) == 2], default=-1)
    spool = _spool(tmp_path)
    spool.adopt_dead()
    left = [int(name) for name in _names(spool)]
    assert set(range(answered + 1, written + 1)) <= set(left)
    assert left == sorted(left)
    assert spool.is_past(Position(0, 0))


def test_a_clock_that_was_years_ahead_when_an_event_was_put_off_does_not_keep_it_for_years(tmp_path: Path):
    spool = _spool(tmp_path)
    spool.append(_items("a"), NOW)
    batch = spool.peek(most_events=1, most_bytes=10**6, most_learners=9)
    spool.park(batch.records, due_ms=500_000)
    spool.advance(batch.after, batch.generation)
    spool.release_due(now_ms=499_000, most_ms=2_000)
    assert _names(spool) == []
    spool.release_due(now_ms=400_000, most_ms=2_000)
    assert _names(spool) == ["a"]


def test_a_damaged_position_or_a_folder_that_cannot_be_read_keeps_back_no_other(tmp_path: Path, monkeypatch):
    for name in ("a", "b", "c"):
        left = _spool(tmp_path)
        left.append(_items(name), NOW)
        left.close()
    first, second, _ = sorted(path for path in tmp_path.iterdir())
    (first / "position").write_text("1 -7")
    whole = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.parent == second and path.suffix == ".seg":
            raise PermissionError(13, "Permission denied")
        return whole(path, target)

    spool = _spool(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(PermissionError):
            spool.adopt_dead()
        assert len(_names(spool)) == 2
    spool.adopt_dead()
    assert sorted(_names(spool)) == ["a", "b", "c"]
