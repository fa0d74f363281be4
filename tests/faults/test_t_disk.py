"""T06: the disk of the queue is full, read-only, damaged or taken away. The host goes on; what is lost is counted."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support import tracking as t
from tests.support.asgi import ask
from tests.support.tracked_host import plain_host, tracked_host
from tests.support.tracking import note, tracking, until

pytestmark = pytest.mark.fault

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"

# No file of this process may grow beyond 20 KB: writes fail in the middle of a record, as on a disk that is full.
FULL_DISK = """
import asyncio, json, resource, sys, time
from pathlib import Path
from tests.support.asgi import ask
from tests.support.tracked_host import plain_host, tracked_host
from tests.support.tracking import note, tracking, until
with tracking(sys.argv[1], Path(sys.argv[2]), segment_bytes=1_000_000) as osler:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    note(osler, 0)
    assert until(lambda: osler.counts.delivered == 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    host, bare = tracked_host(osler), plain_host()
    for n in range(1, 400):
        note(osler, n)
        if n % 40 == 0:
            time.sleep(0.1)
            for path in ("/nothing", "/raises", "/streams"):
                assert asyncio.run(ask(host, "GET", path)) == asyncio.run(ask(bare, "GET", path)), path
    assert until(lambda: osler.counts.disk_failures > 0), "the disk was never full"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert until(lambda: osler.counts.delivered == 400), osler.counts
    print(json.dumps({"failures": osler.counts.disk_failures, "dropped": osler.counts.dropped.total()}))
"""


def test_t06_a_disk_that_is_full_costs_the_host_nothing_and_loses_nothing_that_fits_in_memory(tmp_path) -> None:
    with t.listening() as server:
        run = subprocess.run(
            [sys.executable, "-c", FULL_DISK, server.url, str(tmp_path)], cwd=ROOT,
            timeout=90, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        said = json.loads(run.stdout)
        assert said["failures"] > 0
        assert said["dropped"] == 0
        assert sorted(e["data"]["note_id"] for e in server.stored.values()) == sorted(f"n{n}" for n in range(400))


@pytest.mark.parametrize("damage", ["flipped", "torn", "zeros", "noise"])
def test_t06_damage_costs_what_lies_behind_it_in_its_segment_alone_and_is_counted(damage: str, tmp_path) -> None:
    with t.listening() as gone:
        url = gone.url
        port = gone.server_address[1]
    before = set(threading.enumerate())
    with tracking(url, tmp_path, shutdown_seconds=0.1) as osler:
        for n in range(20):
            note(osler, n)
        assert osler._sender._recorder.to_disk()
    # The first sender still holds the batch in memory, and would send it whole to a server that comes soon enough.
    assert until(lambda: set(threading.enumerate()) <= before, 60)
    [segment] = tmp_path.rglob("*.seg")
    whole = segment.read_bytes()
    half = len(whole) // 2
    tail = {"flipped": bytes([whole[half] ^ 0xFF]) + whole[half + 1 :], "torn": b"", "zeros": bytes(len(whole) - half),
            "noise": bytes(n * 37 % 251 for n in range(len(whole) - half))}[damage]  # fmt: skip
    segment.write_bytes(whole[:half] + tail)
    with t.listening(port) as server, tracking(url, tmp_path) as osler:
        osler.start()
        note(osler, 99)
        assert until(lambda: any(e["data"]["note_id"] == "n99" for e in server.stored.values()))
        kept = {e["data"]["note_id"] for e in server.stored.values()} - {"n99"}
        assert kept == {f"n{n}" for n in range(len(kept))}
        assert 8 <= len(kept) <= 10
        assert until(lambda: osler.counts.torn_bytes > 0)


async def test_t06_a_queue_that_somebody_removes_is_begun_anew(tmp_path, caplog) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        host = tracked_host(osler)
        note(osler, 0)
        assert await osler.flush(5)
        shutil.rmtree(tmp_path / "spool")
        assert (await ask(host, "GET", "/nothing", x_subject="s1")) == await ask(plain_host(), "GET", "/nothing")
        for n in range(1, 20):
            note(osler, n)
        assert until(lambda: len(server.stored) == 21), osler.counts
        assert osler.counts.disk_failures == 1
        assert "was removed" in caplog.text


def test_t06_a_segment_that_somebody_removes_does_not_swallow_what_comes_after(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.otherwise = t.says(503)
        note(osler, 0)
        assert until(lambda: osler.counts.failures > 0)
        for segment in tmp_path.rglob("*.seg"):
            segment.unlink()
        for n in range(1, 20):
            note(osler, n)
            time.sleep(0.01)
        server.otherwise = t.take
        assert until(lambda: {f"n{n}" for n in range(1, 20)} <= {e["data"]["note_id"] for e in server.stored.values()})
