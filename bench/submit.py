"""What does one answer cost, stored durably and folded, with its new mastery, beside an endpoint that does nothing?

Run alone: `python bench/submit.py [--events N] [--rounds N]`.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

from command import on_a_world
from http_client import Wire, request
from reads import spread
from serving import NOTHING, serving
from world import World

ROUNDS, TURNS, LEARNERS = 7, 60, 4
TARGET = 8.0
BESIDE = "POST to an endpoint that does nothing behind the same token and policy"


def measure(world: World, rounds: int = ROUNDS, turns: int = TURNS) -> dict[str, dict[str, Any]]:
    """Submits and empty requests in turns; a round's figure is the ratio of the medians."""
    pairs: list[tuple[float, float]] = []
    pending = 0
    with serving(world, cached=True) as server, Wire(server.port) as wire:
        for number in range(rounds + 1):
            taken, late = _round(wire, world, number, turns)
            if number:  # the first warms both
                pairs.append(taken)
                pending += late
                mine, nothing = taken
                print(f"submit: {mine * 1e3:.2f} ms, nothing {nothing * 1e3:.2f} ms", file=sys.stderr, flush=True)
    runs = [mine / nothing for mine, nothing in pairs]
    ratio = statistics.median(runs)
    return {
        "submit": {
            "ratio": round(ratio, 2), "target": TARGET, "met": ratio <= TARGET, "runs": [round(run, 2) for run in runs],
            "beside": BESIDE, "ms": round(statistics.median(mine for mine, _ in pairs) * 1e3, 2),
            "ms_beside": round(statistics.median(nothing for _, nothing in pairs) * 1e3, 2),
            "answered_with_the_mastery_before": pending,
        }
    }  # fmt: skip


def _round(wire: Wire, world: World, number: int, turns: int) -> tuple[tuple[float, float], int]:
    """Median seconds of a submit and of nothing, and how many answers had to leave before the fold was done."""
    tokens = [world.token(user_id) for user_id in spread(world.learners, LEARNERS)]
    mine: list[float] = []
    nothing: list[float] = []
    pending = 0
    for n in range(turns):
        token = tokens[n % len(tokens)]
        question = world.questions[(number * turns + n) % len(world.questions)]
        body = {"answer": "A", "time_spent": 45}
        nothing.append(wire.timed(request("POST", NOTHING, token, body)))
        prepared = request("POST", f"/api/questions/{question}/submit", token, body)
        mine.append(wire.timed(prepared))
        pending += b'"mastery_pending":true' in wire.last
    return (statistics.median(mine), statistics.median(nothing)), pending


if __name__ == "__main__":
    on_a_world(lambda world, rounds, _: measure(world, rounds), __doc__, rounds=ROUNDS)
