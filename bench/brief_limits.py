"""Do the brief's time limits hold for 32 learners at their screens, cached and uncached apart?

Each of 32 clients asks one of the brief's five endpoints, thinks for a second, asks the next; the figure is the 95th
percentile of each endpoint as a share of its limit. Who is refused (503) asks again after a second, as the answer says,
and has waited from the first try; the refusals are counted. Run alone: `python bench/brief_limits.py [--events N]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from http_client import Refused, Wire, request
from reads import paths, spread
from serving import serving
from world import World, world

CLIENTS, THINK_SECONDS = 32, 1.0
BUSY = 503
LIMITS_MS = {"dashboard": 200.0, "mastery": 100.0, "gaps": 50.0, "patterns": 500.0, "readiness": 1000.0}


def measure(world: World, seconds: float = 30.0) -> dict[str, dict[str, Any]]:
    """The 95th percentile of every endpoint against the brief's limit, first uncached, then cached."""
    found: dict[str, dict[str, Any]] = {}
    for name, cached in (("uncached", False), ("cached", True)):
        with serving(world, cached=cached) as server:
            _all_clients(server.port, world, 2 * len(LIMITS_MS) * THINK_SECONDS)  # warm: two rounds of the five
            taken = _all_clients(server.port, world, seconds)
        for endpoint, limit in LIMITS_MS.items():
            found[f"brief_limits.{name}.{endpoint}"] = _row(taken[endpoint], limit)
    return found


def _all_clients(port: int, world: World, seconds: float) -> dict[str, list[float]]:
    until = time.perf_counter() + seconds
    chosen = spread(world.learners, CLIENTS)
    with ThreadPoolExecutor(CLIENTS) as clients:
        jobs = [
            clients.submit(_client, port, _requests(world, chosen[n % len(chosen)]), n / CLIENTS, until)
            for n in range(CLIENTS)
        ]
        every = [job.result() for job in jobs]
    return {name: [seconds for one in every for seconds in one[name]] for name in LIMITS_MS}


def _requests(world: World, user_id: UUID) -> Mapping[str, bytes]:
    token, wanted = world.token(user_id), paths(world.topics[0])
    return {name: request("GET", wanted[name], token) for name in LIMITS_MS}


def _client(port: int, requests: Mapping[str, bytes], delay: float, until: float) -> dict[str, list[float]]:
    """One learner at the screen; `delay` spreads the clients over the second."""
    taken: dict[str, list[float]] = {name: [] for name in requests}
    names = list(requests)
    time.sleep(delay)
    with Wire(port) as wire:
        turn = int(delay * CLIENTS)
        while time.perf_counter() < until:
            name = names[turn % len(names)]
            taken[name].append(_until_answered(wire, requests[name]))
            turn += 1
            time.sleep(THINK_SECONDS)
    return taken


def _until_answered(wire: Wire, prepared: bytes) -> float:
    began = time.perf_counter()
    while True:
        try:
            wire.ask(prepared)
        except Refused as refused:
            if refused.status != BUSY:
                raise
            time.sleep(THINK_SECONDS)
        else:
            return time.perf_counter() - began


def _row(seconds: list[float], limit_ms: float) -> dict[str, Any]:
    p95 = sorted(seconds)[int(0.95 * (len(seconds) - 1))] * 1e3
    return {
        "ratio": round(p95 / limit_ms, 3), "target": 1.0, "met": p95 <= limit_ms, "p95_ms": round(p95, 1),
        "median_ms": round(statistics.median(seconds) * 1e3, 1), "n": len(seconds),
        "refused": sum(taken >= THINK_SECONDS for taken in seconds),
        "beside": f"the brief's {limit_ms:.0f} ms",
    }  # fmt: skip


def main() -> None:
    """Measure on a world of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    with world(chosen.events) as made:
        print(json.dumps(measure(made, chosen.seconds), indent=2))


if __name__ == "__main__":
    main()
