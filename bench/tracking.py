"""What does tracking cost its host? Microseconds to queue an event, and the host's p95 against an untracked one.

One row for each host (it waits 1 or 5 ms as for a database, computes 1 ms, does nothing: called in process, and behind
a web server as a client sees it), with every fault beside the control.
Run: `python -m bench.tracking [--json] [--only 1ms] [--rounds N]`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.host_ratio import CONTROL, FAULTS, HOLDS, MOST_RATIO, PLANTED, Estimate, Measured, measure, turns_for
from bench.tracked_host import KEY, Wanted

from osler.tracking import Osler, TrackingOptions
from osler.tracking.sinks import Reply

DATA = {"route": "/x/{id}", "method": "GET", "status": 200, "duration_ms": 3, "client": "Other"}
HOSTS = {
    "1ms": (Wanted(milliseconds=1.0), 240),
    "5ms": (Wanted(milliseconds=5.0), 120),
    "computes_1ms": (Wanted(work="computes", milliseconds=1.0), 240),
    "nothing": (Wanted(milliseconds=0.0), 800),
    "nothing_served": (Wanted(milliseconds=0.0, served=True), 800),
}
"""By name: the host, and how many requests make a block."""


class _Nobody:
    name = "nobody"

    def send(self, body: bytes) -> Reply:
        """Nobody answers."""
        del body
        return Reply(0)

    def interrupt(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""

    def abandon(self) -> None:
        """Nothing is shared."""


def enqueue(rounds: int) -> dict[str, Any]:
    """Microseconds of one `track_nowait`, with both threads at work."""
    p50s: list[float] = []
    p99s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        osler = Osler(_Nobody(), KEY, TrackingOptions(spool=Path(folder)))
        for _ in range(rounds):
            times: list[float] = []
            for _ in range(2_000):
                began = time.perf_counter()
                osler.track_nowait("api_request", user="subject-1", data=DATA)
                times.append((time.perf_counter() - began) * 1e6)
            p50s.append(statistics.median(times))
            p99s.append(statistics.quantiles(times, n=100)[-1])
            time.sleep(0.5)
        osler.close()
    p50, p99 = statistics.median(p50s), statistics.median(p99s)
    return {
        "ratio": round(p50 / 50, 3), "target": 1.0, "met": p50 <= 50 and p99 <= 500,
        "beside": "the 50 µs that it may take at the median, and 500 at the 99th percentile",
        "p50_us": round(p50, 1), "p99_us": round(p99, 1), "runs": [round(p / 50, 3) for p in p50s],
    }  # fmt: skip


def host(name: str, rounds: int, most_rounds: int) -> dict[str, Any]:
    """A host's ratios, fault by fault: the row's own figure is the worst of them."""
    work, requests = HOSTS[name]
    if work.work == "computes":
        work = Wanted(work="computes", turns=turns_for(work.milliseconds))
    began = time.monotonic()
    found = measure(work, [*FAULTS, PLANTED], requests=requests, rounds=rounds, most_rounds=most_rounds)
    faults = {fault: _said(found, fault) for fault in FAULTS}
    worst = max(FAULTS, key=lambda fault: faults[fault]["ratio"])
    return {
        "ratio": faults[worst]["ratio"], "target": MOST_RATIO, "worst": worst,
        "met": all(each["verdict"] == HOLDS for each in faults.values()),
        "runs": [round(each, 3) for each in found.ratios(worst)], "requests_a_run": requests,
        "beside": f"the same host untracked, p95 {found.untracked_ms():.3f} ms", "faults": faults,
        "control": _said(found, CONTROL), "planted_1ms": _said(found, PLANTED),
        "hosts_go_first": found.is_first, "seconds": round(time.monotonic() - began), "load": os.getloadavg()[0],
    }  # fmt: skip


def _said(found: Measured, name: str) -> dict[str, Any]:
    estimate = found.ratio(name)
    return {
        "ratio": round(estimate.median, 3), "interval": [round(estimate.least, 3), round(estimate.most, 3)],
        "pooled": round(found.pooled(name), 3), "added_us": _three(found.added_us(name)),
        "added_process_us": _three(found.added_process_us(name)),
        "verdict": found.verdict(name), "happened": found.ended.get(name, {}),
    }  # fmt: skip


def _three(estimate: Estimate) -> list[float]:
    """The median and its interval."""
    return [round(each, 1) for each in (estimate.median, estimate.least, estimate.most)]


def main() -> None:
    """Measure and print; progress goes to standard error."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments.add_argument(
        "--rounds", type=int, default=20, help="blocks of each host at least; four times as many at most"
    )
    arguments.add_argument("--only", default=",".join(HOSTS), help="some hosts, by name")
    given = arguments.parse_args()
    rows: dict[str, Any] = {"tracking.enqueue": enqueue(7)}
    for name in given.only.split(","):
        print(f"host {name} …", file=sys.stderr)
        rows[f"tracking.host_{name}"] = host(name, max(5, given.rounds), 4 * max(5, given.rounds))
    rows["load"] = os.getloadavg()
    if given.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        faults = row.pop("faults", {}) if isinstance(row, dict) else {}
        print(f"{name}: {row}")
        for fault, said in faults.items():
            print(f"    {fault}: {said}")


if __name__ == "__main__":
    main()
