"""T04, T05, T07, T12: full queues, killed hosts, forked workers, a shutdown in a hurry."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support import tracking as t
from tests.support.tracking import KEY, note, options, tracking, until

from osler.api.server import free_port
from osler.tracking import HttpSink, Osler

pytestmark = pytest.mark.fault

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"


# ---------------------------------------------------------------- T04
def test_t04_full_memory_drops_in_order_counts_by_type_and_tells_osler(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path, memory_events=30, flush_seconds=60.0) as osler:
        osler.start()
        assert until(lambda: osler._sender._courier.next_adoption_at > 0)
        for n in range(30):
            data = {"route": "/x", "method": "GET", "status": 200, "duration_ms": n, "client": "Other"}
            assert osler.track_nowait("api_request", user="s1", data=data)
        for n in range(40):
            note(osler, n)
        assert osler.counts.dropped == {"api_request": 30, "note_taken": 10}
        assert osler._sender.wait_until_answered(5)
        assert server.types() == ["note_taken"] * 30
        assert server.envelopes[0]["dropped"] == {"api_request": 30, "note_taken": 10}
        note(osler, 99)
        assert osler._sender.wait_until_answered(5)
        assert "dropped" not in server.envelopes[-1], "told twice"


async def test_t04_who_waits_for_a_dropped_event_hears_that_it_is_not_safe(tmp_path) -> None:
    with tracking(NOBODY, tmp_path, memory_events=0) as osler:
        data = {"material_id": "m1", "note_id": "n1", "action": "create", "length_chars": 3}
        assert await asyncio.wait_for(osler.track("note_taken", user="s1", data=data, durable=True), 2) is False


def test_t04_a_full_spool_keeps_what_a_learner_did(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path, spool_bytes=40_000, segment_bytes=8_000) as osler:
        server.otherwise = t.says(503)
        for n in range(100):
            data = {"route": "/x", "method": "GET", "status": 200, "duration_ms": n, "client": "Other"}
            osler.track_nowait("api_request", user="s1", data=data)
            if n % 4 == 0:
                note(osler, n)
            if n % 10 == 0:
                osler._sender._recorder.to_disk()
        for n in range(100, 175):
            note(osler, n)
        assert osler._sender._recorder.to_disk()
        assert osler.counts.dropped["api_request"] > 50, "the spool was never full"
        assert osler.counts.dropped["note_taken"] == 0
        assert sum(p.stat().st_size for p in tmp_path.rglob("*.seg")) <= 40_000
        server.otherwise = t.take
        wanted = {f"n{n}" for n in [*range(0, 100, 4), *range(100, 175)]}
        assert until(lambda: wanted <= {e["data"].get("note_id") for e in server.stored.values()}), osler.counts
        assert until(lambda: any(e.get("dropped", {}).get("api_request", 0) > 50 for e in server.envelopes))


def test_t04_a_disk_that_fails_costs_the_host_nothing_and_what_fits_is_kept(tmp_path, caplog) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with t.listening() as server, tracking(server.url, tmp_path, memory_events=50) as osler:
        assert all(note(osler, n) for n in range(80))
        assert until(lambda: osler.counts.disk_failures > 2), "the disk did not fail"
        assert osler.counts.dropped == {"note_taken": 30}
        (tmp_path / "spool").unlink()
        assert until(lambda: len(server.stored) == 50), osler.counts
    assert "cannot be written" in caplog.text


# ---------------------------------------------------------------- T05
class Host:
    """A host application in a process of its own."""

    def __init__(self, osler_url: str, folder: Path, *flags: str) -> None:
        self.port = free_port("127.0.0.1", 0)
        command = [sys.executable, "-m", "tests.support.tracked_host", osler_url, str(folder), str(self.port), *flags]
        self.process = subprocess.Popen(command, cwd=ROOT)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=5)
        if not until(self._is_up, 20):
            self.close()
            pytest.fail("the host did not start")

    def _is_up(self) -> bool:
        try:
            return self.client.get("/health").status_code == 404
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(10) == -signal.SIGKILL

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@contextmanager
def host(*arguments) -> Iterator[Host]:
    running = Host(*arguments)
    try:
        yield running
    finally:
        running.close()


def test_t05_a_killed_host_loses_no_durable_event_and_200_ms_of_others(tmp_path) -> None:
    with t.listening() as server:
        server.otherwise = t.hang
        with host(server.url, tmp_path, "durable") as first:
            requests: list[float] = []
            for _ in range(30):
                assert first.client.get("/nothing", headers={"x-subject": "s1"}).status_code == 200
                requests.append(time.monotonic())
                time.sleep(0.02)
            assert server.hanging.wait(5), "Osler was not hanging when the host died"
            written = [n for n in range(8) if first.client.post(f"/notes/{n}").json()["written"]]
            first.kill()
            died = time.monotonic()
        assert written == list(range(8))
        server.otherwise = t.take
        safe = sum(1 for at in requests if at < died - 0.5)  # 200 ms promised; the rest is a busy machine's
        with host(server.url, tmp_path):
            assert until(lambda: {f"d{n}" for n in written} <= _notes(server), 20), _notes(server)
            assert until(lambda: server.types().count("api_request") >= safe), (server.types(), safe)
            time.sleep(0.3)  # what would come twice comes now
        assert len(requests) >= server.types().count("api_request") >= safe >= 5
        assert server.duplicates == 0


def _notes(server: t.Server) -> set[str]:
    return {e["data"]["note_id"] for e in server.stored.values() if e["type"] == "note_taken"}


def test_t05_after_a_power_cut_everything_fsynced_is_sent_and_the_torn_end_is_cut(tmp_path) -> None:
    """What was not synced is gone: the last segment ends in the middle of a record, and no position file is left."""
    with t.listening() as server:
        with tracking(NOBODY, tmp_path) as osler:
            for n in range(20):
                note(osler, n)
            assert osler._sender._recorder.to_disk()
        [segment] = tmp_path.rglob("*.seg")
        whole = segment.read_bytes()
        segment.write_bytes(whole[:-25])
        for path in tmp_path.rglob("position"):
            path.unlink()
        chosen = options(tmp_path)
        # The same Osler under another address would be another folder: move what waits, as a rename of a host would.
        target = Osler(HttpSink(server.url, "t"), KEY, chosen)
        segment.parent.parent.rename(target._sender._root)
        target.start()
        assert until(lambda: len(server.stored) == 19)
        target.close()
        assert _notes(server) == {f"n{n}" for n in range(19)}


def test_t05_what_waits_for_one_osler_is_never_sent_to_another(tmp_path) -> None:
    with tracking(NOBODY, tmp_path) as osler:
        note(osler, 1)
        osler._sender._recorder.to_disk()
    with t.listening() as other, tracking(other.url, tmp_path) as osler:
        note(osler, 2)
        assert osler._sender.wait_until_answered(5)
        assert _notes(other) == {"n2"}


# ---------------------------------------------------------------- T07
FORKS = """
import os, sys, time
from pathlib import Path
from tests.support.tracking import KEY, options, note
from osler.tracking import HttpSink, Osler
osler = Osler(HttpSink(sys.argv[1], "t"), KEY, options(Path(sys.argv[2])))
for n in range(5):
    note(osler, n)
time.sleep(0.02)
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        for n in range(10):
            note(osler, 100 * (child + 1) + n)
            time.sleep(0.01)
        if child == 0:
            os.kill(os.getpid(), 9) if osler._sender._recorder.to_disk() else None
        osler.close()
        os._exit(0)
    children.append(pid)
for n in range(5, 10):
    note(osler, n)
codes = [os.waitpid(pid, 0)[1] for pid in children]
assert codes == [9, 0, 0, 0], codes
osler.close()
"""


def test_t07_forked_workers_have_a_folder_each_and_a_dead_ones_is_adopted_once(tmp_path) -> None:
    with t.listening() as server:
        run = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, server.url, str(tmp_path)],
            cwd=ROOT, timeout=60, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        with tracking(server.url, tmp_path) as osler:
            osler.start()
            wanted = {f"n{n}" for n in [*range(10), *(100 * c + n for c in range(1, 5) for n in range(10))]}
            assert until(lambda: _notes(server) == wanted, 10), wanted - _notes(server)
        assert len(server.stored) == 50, "an event was made twice"
        assert not list(tmp_path.rglob("*.seg"))


# ---------------------------------------------------------------- T12
def test_t12_a_host_with_ten_thousand_queued_is_gone_in_two_seconds(tmp_path) -> None:
    with t.listening() as server:
        server.otherwise = t.hang
        with tracking(server.url, tmp_path, total_seconds=5.0) as osler:
            for n in range(10_000):
                note(osler, n)
            assert server.hanging.wait(5)
            began = time.monotonic()
            osler.close()
            assert time.monotonic() - began < 3.0  # two promised, one for a busy machine
        server.otherwise = t.take
        with tracking(server.url, tmp_path) as osler:
            osler.start()
            assert until(lambda: len(server.stored) == 10_000, 20), (len(server.stored), osler.counts)


@pytest.mark.parametrize("behaves", ["takes", "hangs"])
def test_t12_a_host_that_is_told_to_end_sends_what_it_can_and_keeps_the_rest(behaves: str, tmp_path) -> None:
    """A real server, SIGTERM as a supervisor sends it, right after the last answer."""
    with t.listening() as server:
        server.otherwise = t.take if behaves == "takes" else t.hang
        with host(server.url, tmp_path) as first:
            for _ in range(50):
                assert first.client.get("/nothing", headers={"x-subject": "s1"}).status_code == 200
            first.process.send_signal(signal.SIGTERM)
            assert first.process.wait(15) == 0
        if behaves == "takes":
            assert len(server.stored) == 50
            assert not list(tmp_path.rglob("*.seg"))
        else:
            assert t.everything_under(tmp_path).count(b'"/nothing"') == 50
