"""Measure everything that has a target, each figure as a ratio to something run beside it in turns.

    python3 dev.py bench --json                    everything; about twenty minutes on two quiet cores
    python3 dev.py bench --quick                   a short log and few events; the same ratios, with more noise
    python3 dev.py bench --only reads,submit       some of it

Progress goes to standard error; standard output ends with one JSON object: a row for each figure, and `machine`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
sys.path.insert(0, str(BENCH))

Rows = dict[str, dict[str, Any]]
GROUPS = ("science", "ingest", "reads", "submit", "visible", "refold", "jobs", "brief_limits", "memory", "tracking")
LESS_IS_BETTER = ("fit_",)
PACKAGES = ("fastapi", "granian", "sqlalchemy", "asyncpg", "msgspec", "pydantic", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    events: int
    days: int
    rounds: int
    turns: int
    job_events: int
    memory_events: int
    seconds: float
    year_days: int
    batches: int


FULL = Sizes(5_000_000, 180, 7, 150, 1_000_000, 1_000_000, 60.0, 365, 80)
QUICK = Sizes(200_000, 60, 5, 60, 200_000, 50_000, 15.0, 365, 40)
TINY = Sizes(1_000, 5, 2, 4, 1_000, 1_000, 2.0, 10, 4)


def main() -> int:
    """Measure what was asked for. Exit status 0 also where a target is missed: the figures say so."""
    chosen = arguments()
    sizes = TINY if chosen.tiny else QUICK if chosen.quick else FULL
    wanted = chosen.only.split(",") if chosen.only else list(GROUPS)
    unknown = sorted(set(wanted) - set(GROUPS))
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are: {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    machine = {"before": os.getloadavg(), **about()}
    rows: Rows = {}
    began = time.perf_counter()
    if "science" in wanted:
        rows |= science()
    if "ingest" in wanted:
        rows |= ingest(sizes)
    if set(wanted) & set(WITH_WORLD):
        rows |= in_a_world(wanted, sizes)
    if "tracking" in wanted:
        rows |= tracking(sizes)
    machine |= {"after": os.getloadavg(), "minutes": round((time.perf_counter() - began) / 60, 1)}
    show(rows)
    print(json.dumps({**rows, "machine": machine}, indent=None if chosen.json else 2), flush=True)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the object on one line")
    parser.add_argument("--only", metavar="NAMES", help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="200,000 events instead of 5 million")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs: the figures mean nothing")
    return parser.parse_args()


def about() -> dict[str, Any]:
    """Where this ran."""
    return {
        "cores": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }  # fmt: skip


# ---------------------------------------------------------------- the groups
def science() -> Rows:
    """The pure models; each file in a process of its own, as it bounds the threads of the linear algebra first."""
    rows: Rows = {}
    for path in sorted(BENCH.glob("science_*.py")):
        say(f"{path.stem} …")
        done = subprocess.run([sys.executable, str(path), "--json"], stdout=subprocess.PIPE, check=True)
        rows |= {f"science.{name}": judged(name, row) for name, row in json.loads(done.stdout).items()}
    return rows


def tracking(sizes: Sizes) -> Rows:
    """What tracking costs a host: hosts of its own, whatever Osler does."""
    say("tracking …")
    command = [sys.executable, "-m", "bench.tracking", "--json", "--rounds", str(sizes.rounds * 3)]
    done = subprocess.run(
        [*command, *(["--only", "1ms"] if sizes is TINY else [])], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    return {name: row for name, row in json.loads(done.stdout).items() if name != "load"}


def judged(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with `met`: every target that it names; None where there is none, or nothing could be measured."""
    if "not_run" in row:
        return {**row, "met": None}
    target, held = row.get("target"), list[bool]()
    if target:
        held.append(row["ratio"] <= target if name.startswith(LESS_IS_BETTER) else row["ratio"] >= target)
    limit = row.get("seconds_limit", row.get("target_at_most"))
    if limit is not None:
        held.append(row["seconds"] <= limit)
    return {**row, "met": all(held) if held else None}


def ingest(sizes: Sizes) -> Rows:
    """Events in over HTTP and in bulk, beside COPY; the variants of a batch as rows of their own."""
    import ingest as bench

    say("ingest …")
    found: Rows = asyncio.run(bench.measure(sizes.rounds))
    whole = found["ingest.http_batch"]
    whole["met"] = (
        whole["ratio"] >= whole["target"]
        and whole["cpu_ratio"] <= whole["cpu_ratio_target"]
        and whole["events_per_app_cpu_second"] >= whole["events_per_app_cpu_second_target"]
    )
    found["ingest.bulk"]["met"] = found["ingest.bulk"]["ratio"] >= found["ingest.bulk"]["target"]
    variants = {
        "ingest.mixed": ("mixed_200_learners", "mixed_target", whole["beside"]),
        "ingest.bad_event": ("one_bad_event", "one_bad_target", "a clean batch of the same round"),
        "ingest.resend": ("resend", "resend_target", "the same batch when it was new"),
    }
    for key, (name, target, beside) in variants.items():
        ratio, least = whole[name], whole[target]
        found[key] = {"ratio": ratio, "target": least, "met": ratio >= least, "beside": beside}
    return found


def in_a_world(wanted: list[str], sizes: Sizes) -> Rows:
    """What needs a long log: one installation for all of it."""
    from world import world

    rows: Rows = {}
    with world(sizes.events, days=sizes.days) as made:
        for name, measure in WITH_WORLD.items():
            if name in wanted:
                say(f"{name} …")
                rows |= measure(made, sizes)
        for row in rows.values():
            row["events_in_log"] = made.events
    return rows


def reads(made: Any, sizes: Sizes) -> Rows:
    import reads as bench

    return bench.measure(made, sizes.rounds, sizes.turns)


def submit(made: Any, sizes: Sizes) -> Rows:
    import submit as bench

    return bench.measure(made, sizes.rounds, max(4, sizes.turns // 3))


def visible(made: Any, sizes: Sizes) -> Rows:
    import visible as bench

    return bench.measure(made, sizes.batches)


def refold(made: Any, sizes: Sizes) -> Rows:
    import refold as bench

    return bench.measure(made, sizes.rounds, sizes.year_days)


def jobs(made: Any, sizes: Sizes) -> Rows:
    import jobs as bench

    return bench.measure(made, sizes.rounds, sizes.job_events)


def brief_limits(made: Any, sizes: Sizes) -> Rows:
    import brief_limits as bench

    return bench.measure(made, sizes.seconds)


def memory(made: Any, sizes: Sizes) -> Rows:
    import memory as bench

    return bench.measure(made, sizes.memory_events)


# In this order: what writes comes after what reads.
WITH_WORLD: dict[str, Callable[[Any, Sizes], Rows]] = {
    "reads": reads, "brief_limits": brief_limits, "jobs": jobs, "submit": submit, "visible": visible,
    "refold": refold, "memory": memory,
}  # fmt: skip


def show(rows: Rows) -> None:
    """The figures for a person."""
    for name, row in rows.items():
        word = {True: "met", False: "MISSED", None: ""}[row.get("met")]
        figure = row.get("ratio", row.get("seconds", "not run" if "not_run" in row else ""))
        runs = row.get("runs") or []
        spread = f"runs {min(runs)} to {max(runs)}" if runs else ""
        print(
            f"{name:34}{figure:>10}  target {row.get('target') or row.get('target_at_most') or '-':<8}{word:8}{spread}",
            file=sys.stderr,
        )


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
