"""How fast do events get in, as ratios to COPY of the same columns run beside it on the same server?

HTTP batches of 500 over 4 connections, each durable, against COPY (text) into one bare table in 500s with a COMMIT
each over 4 connections; processor time of application and PostgreSQL; mixes, a bad event, a resend; bulk import.
Four, because that is how many connections the service keeps for ingestion unless told otherwise: more requests at once
would wait for one. One and two are printed beside, and the rate on a disk that takes a millisecond to sync. Every
event is an answer: the densest type, with two rows. The fold behind the answer is switched off, and measured by itself:
it works in the same process.
Run alone: `python bench/ingest.py [--json]`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from functools import partial
from typing import Any
from uuid import uuid4

from ingest_server import BATCH, BATCHES_A_ROUND, COPIES, Bench, application, bodies, event, meet, mixed, running, timed
from osler import clock
from osler.db.engine import Database
from osler.ingest.intake import ingest_events
from slow_disk import commit_ms, sync_takes


async def http_batch(bench: Bench, rounds: int) -> dict[str, Any]:
    """Batches over HTTP against COPY, in turns; the variants against clean batches of the same round."""
    n = BATCH * BATCHES_A_ROUND
    half = BATCHES_A_ROUND // 2
    in_500s, at_once = bench.chunks(rows=n * COPIES), bench.chunks(size=n)
    kept: dict[str, list[float]] = {
        name: [] for name in ("rate", "cpu", "per_cpu", "mixed", "bad", "resend", "one_txn")
    }
    app_us, pg_us, copy_us = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        clean, bad, many = (
            bodies(bench.settings, BATCHES_A_ROUND),
            bodies(bench.settings, half, bad=True),
            mixed(bench.settings, half),
        )
        await meet(bench, clean + bad + many)
        http = await timed(bench, partial(bench.send, clean))
        copy = _of_one(await timed(bench, partial(bench.copy, in_500s)))
        again = await timed(bench, partial(bench.send, clean[:half]))
        with_bad = await timed(bench, partial(bench.send, bad))
        with_many = await timed(bench, partial(bench.send, many))
        whole = await timed(bench, partial(bench.copy, at_once))
        kept["rate"].append(copy[0] / http[0])
        kept["cpu"].append((http[1] + http[2]) / copy[2])
        kept["per_cpu"].append(n / http[1])
        kept["mixed"].append(copy[0] / 2 / with_many[0])
        kept["bad"].append(http[0] / 2 / with_bad[0])
        kept["resend"].append(http[0] / 2 / again[0])
        kept["one_txn"].append(whole[0] / http[0])
        app_us.append(http[1] / n * 1e6)
        pg_us.append(http[2] / n * 1e6)
        copy_us.append(copy[2] / n * 1e6)
        print(
            f"round: {n / http[0]:.0f}/s, app {app_us[-1]:.1f}, pg {pg_us[-1]:.1f}, copy {copy_us[-1]:.1f} µs",
            file=sys.stderr,
        )
    middle = {name: round(statistics.median(values), 2) for name, values in kept.items()}
    return {
        "ratio": middle["rate"], "target": 0.5, "runs": [round(r, 2) for r in kept["rate"]],
        "beside": "COPY (text) of the same columns, 500 a COMMIT, 4 connections",
        "cpu_ratio": middle["cpu"], "cpu_ratio_target": 4.5,
        "events_per_app_cpu_second": round(middle["per_cpu"]), "events_per_app_cpu_second_target": 40_000,
        "mixed_200_learners": middle["mixed"], "mixed_target": 0.4,
        "one_bad_event": middle["bad"], "one_bad_target": 0.8,
        "resend": middle["resend"], "resend_target": 0.8,
        "against_one_transaction": middle["one_txn"],
        "app_us": round(statistics.median(app_us), 1), "postgres_us": round(statistics.median(pg_us), 1),
        "copy_us": round(statistics.median(copy_us), 1),
    }  # fmt: skip


def _of_one(times: tuple[float, float, float]) -> tuple[float, float, float]:
    """What one round's rows cost of what `COPIES` of them did."""
    seconds, app, server = times
    return seconds / COPIES, app / COPIES, server / COPIES


async def by_connections(bench: Bench, rounds: int) -> dict[str, float]:
    """The rate ratio over one and two connections."""
    found: dict[str, float] = {}
    quarter = BATCHES_A_ROUND // 4
    chunks = bench.chunks(rows=BATCH * quarter)
    for connections in (1, 2):
        ratios = list[float]()
        for _ in range(rounds):
            made = bodies(bench.settings, quarter)
            await meet(bench, made)
            http = await timed(bench, partial(bench.send, made, connections))
            copy = await timed(bench, partial(bench.copy, chunks, connections))
            ratios.append(copy[0] / http[0])
        found[str(connections)] = round(statistics.median(ratios), 2)
    return found


async def at_slow_sync(bench: Bench, rounds: int) -> dict[str, float]:
    """The rate ratio on a disk whose sync takes a millisecond, and whether a COMMIT does take that much longer."""
    half, admin = BATCHES_A_ROUND // 2, bench.copiers[0]
    chunks, ratios = bench.chunks(rows=BATCH * half * COPIES), list[float]()
    plain = await commit_ms(admin)
    async with sync_takes(admin):
        slow = await commit_ms(admin)
        for _ in range(rounds):
            made = bodies(bench.settings, half)
            await meet(bench, made)
            http = await timed(bench, partial(bench.send, made))
            ratios.append(_of_one(await timed(bench, partial(bench.copy, chunks)))[0] / http[0])
    found = round(statistics.median(ratios), 2)
    return {"rate_ratio_at_1_ms_sync": found, "commit_ms": plain, "commit_ms_at_1_ms_sync": slow}


async def followed(bench: Bench, rounds: int) -> dict[str, float]:
    """The same batches to a service that folds while it takes them, as it does when it is not measured."""
    rates, alone_us, app_us = list[float](), list[float](), list[float]()
    quarter = BATCHES_A_ROUND // 4
    async with application(bench.settings, "followed") as (port, app):
        other = Bench(bench.settings, port, app, bench.postmaster)
        for _ in range(rounds):
            made, mine = bodies(bench.settings, quarter), bodies(bench.settings, quarter)
            await meet(bench, made)
            await meet(other, mine)
            alone = await timed(bench, partial(bench.send, made))
            both = await timed(other, partial(other.send, mine))
            await _folded(other)
            rates.append(alone[0] / both[0])
            alone_us.append(alone[1] / (quarter * BATCH) * 1e6)
            app_us.append(both[1] / (quarter * BATCH) * 1e6)
    return {
        "rate": round(statistics.median(rates), 2), "app_us": round(statistics.median(app_us), 1),
        "app_us_alone": round(statistics.median(alone_us), 1),
    }  # fmt: skip


async def _folded(bench: Bench) -> None:
    """Until the service has nothing left to fold: it would take the processor from what is measured next."""
    before, now = -1.0, bench.cpu()[0]
    while now - before > 0.05:
        await asyncio.sleep(1)
        before, now = now, bench.cpu()[0]


async def bulk(bench: Bench, rounds: int) -> dict[str, Any]:
    """The importers' way in, 5,000 a chunk over one connection, against COPY of the same chunks."""
    n, ratios = 20_000, list[float]()
    async with Database.open(bench.settings) as db:
        chunks = bench.chunks(5_000, n)
        for _ in range(rounds + 1):
            base = clock.unix_ms() - 86_400_000
            events = [event(base + place * 5, place) for place in range(n)]
            began = time.perf_counter()
            await ingest_events(db, events, uuid4(), keep_outcomes=False)
            mine = time.perf_counter() - began
            copy = await timed(bench, partial(bench.copy, chunks, 1))
            ratios.append(copy[0] / mine)
            print(f"bulk: {n / mine:.0f}/s, copy {n / copy[0]:.0f}/s", file=sys.stderr)
    return {
        "ratio": round(statistics.median(ratios[1:]), 2), "target": 0.5, "runs": [round(r, 2) for r in ratios[1:]],
        "beside": "COPY (text) of the same columns, 5,000 a COMMIT, one connection",
    }  # fmt: skip


async def measure(rounds: int = 5) -> dict[str, Any]:
    """All measures of ingestion."""
    async with running() as bench:
        over_http = await http_batch(bench, rounds)
        over_http |= await at_slow_sync(bench, rounds)
        over_http["by_connections"] = await by_connections(bench, rounds)
        over_http["with_the_fold"] = await followed(bench, rounds)
        return {"ingest.http_batch": over_http, "ingest.bulk": await bulk(bench, rounds)}


def main() -> None:
    """Print the measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = asyncio.run(measure(chosen.rounds)) | {"load": os.getloadavg()}
    print(json.dumps(found, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
