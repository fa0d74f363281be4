"""How much memory does the API process hold while it takes a million events over HTTP, folding them behind?

Run alone: `python bench/memory.py [--events N]` (N are sent; the log need not be long).
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from http_client import Wire
from ingest import BATCH, bodies
from serving import Serving, serving
from world import World, world

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET_MB = 350.0
CONNECTIONS = 2
BATCHES_AT_ONCE = 40
LOOK_EVERY_SECONDS = 0.2


def measure(world: World, events: int = 1_000_000) -> dict[str, dict[str, Any]]:
    """The largest resident memory seen, in MB, and its share of the limit."""
    with serving(world, cached=True) as server:
        before = server.megabytes()
        with _watched(server) as seen:
            sent, seconds = _send(world, server, events)
        after = server.megabytes()
    most = max([after, *seen])
    return {
        "memory.api_mb": {
            "ratio": round(most / TARGET_MB, 2), "target": 1.0, "met": most < TARGET_MB, "most_mb": round(most),
            "before_mb": round(before), "after_mb": round(after), "events": sent, "seconds": round(seconds),
            "runs": [round(megabytes) for megabytes in seen[:: max(1, len(seen) // 20)]],
            "beside": f"{TARGET_MB:.0f} MB",
        }
    }  # fmt: skip


@contextmanager
def _watched(server: Serving) -> Iterator[list[float]]:
    """What the process held, looked at five times a second."""
    seen: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_EVERY_SECONDS):
            seen.append(server.megabytes())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _send(world: World, server: Serving, events: int) -> tuple[int, float]:
    """Batches of new learners until so many events were acknowledged; gives how many, and the seconds it took."""
    sent, took = 0, 0.0
    while sent < events:
        queue = [
            f"POST /api/events/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
            for token, body in bodies(world.settings, min(BATCHES_AT_ONCE, -(-(events - sent) // BATCH)))
        ]
        began = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as clients:
            sent += sum(clients.map(_client, [server.port] * CONNECTIONS, [queue] * CONNECTIONS))
        took += time.perf_counter() - began
        print(f"memory: {sent:,} events, {server.megabytes():.0f} MB", file=sys.stderr, flush=True)
    return sent, took


def _client(port: int, queue: list[bytes]) -> int:
    accepted = 0
    with Wire(port) as wire:
        while True:
            try:
                prepared = queue.pop()
            except IndexError:
                return accepted
            accepted += int(json.loads(wire.ask(prepared))["counts"]["accepted"])


def main() -> None:
    """Measure on a world of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    chosen = parser.parse_args()
    with world(20_000, days=30) as made:
        print(json.dumps(measure(made, chosen.events), indent=2))


if __name__ == "__main__":
    main()
