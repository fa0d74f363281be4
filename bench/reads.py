"""What does an analytic cost beside SELECT 1 on the same way, for one learner, with millions of events in the log?

Requests take turns, one of each kind after the other, for the same learner; a round's figure is the ratio of the
medians of its latencies. Run alone: `python bench/reads.py [--events N] [--rounds N]`.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from command import on_a_world
from http_client import Wire, request
from serving import ONE, serving
from world import World

TARGETS = {"dashboard": 2.5, "mastery": 2.0, "gaps": 1.75, "patterns": 2.0, "readiness": 4.0, "cached": 0.6}
BESIDE = "SELECT 1 behind the same token, policy, transaction and JSON path"
ROUNDS, TURNS = 7, 150
LEARNERS = 8

Rows = dict[str, dict[str, Any]]


def paths(topic: str) -> dict[str, str]:
    """The brief's five, and those that stand beside them."""
    at = "/api/analytics"
    return {
        "dashboard": f"{at}/dashboard", "mastery": f"{at}/mastery/{topic}", "gaps": f"{at}/knowledge-gaps",
        "patterns": f"{at}/study-patterns", "readiness": f"{at}/exam-readiness", "mastery_all": f"{at}/mastery",
    }  # fmt: skip


def measure(world: World, rounds: int = ROUNDS, turns: int = TURNS) -> Rows:
    """Every read against SELECT 1, and the cached dashboard against the same."""
    with (
        serving(world, cached=False) as plain,
        serving(world, cached=True) as keeping,
        Wire(plain.port) as wire,
        Wire(keeping.port) as kept_wire,
    ):
        told = _Asked(world, wire, kept_wire)
        told.turn(20)  # statements prepared, tokens verified, cache filled
        made = [told.turn(turns) for _ in range(rounds)]
    for number, medians in enumerate(made, 1):
        _say(number, medians)
    return {f"reads.{name}": _row(name, made) for name in made[0] if name != "one"}


class _Asked:
    """Prepared requests of a few learners, the plain server's and the cached one's."""

    def __init__(self, world: World, wire: Wire, kept_wire: Wire) -> None:
        self.wires = {"cached": kept_wire}
        self.wire = wire
        chosen = spread(world.learners, LEARNERS)
        wanted = {"one": ONE, **paths(world.topics[0])}
        self.requests: list[Mapping[str, bytes]] = []
        for user_id in chosen:
            token = world.token(user_id)
            ready = {name: request("GET", path, token) for name, path in wanted.items()}
            self.requests.append({**ready, "cached": ready["dashboard"]})

    def turn(self, turns: int) -> dict[str, float]:
        """Median seconds by kind of so many turns."""
        taken: dict[str, list[float]] = {name: [] for name in self.requests[0]}
        for n in range(turns):
            for name, prepared in self.requests[n % len(self.requests)].items():
                taken[name].append(self.wires.get(name, self.wire).timed(prepared))
        return {name: statistics.median(values) for name, values in taken.items()}


def spread(learners: Sequence[UUID], count: int) -> list[UUID]:
    """So many learners, evenly over all."""
    step = max(1, len(learners) // count)
    return list(learners[::step][:count])


def _row(name: str, made: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    runs = [medians[name] / medians["one"] for medians in made]
    ratio, target = statistics.median(runs), TARGETS.get(name)
    return {
        "ratio": round(ratio, 2), "target": target, "met": None if target is None else ratio <= target,
        "runs": [round(run, 2) for run in runs], "beside": BESIDE,
        "ms": round(statistics.median(medians[name] for medians in made) * 1e3, 2),
        "ms_beside": round(statistics.median(medians["one"] for medians in made) * 1e3, 2),
    }  # fmt: skip


def _say(number: int, medians: Mapping[str, float]) -> None:
    told = ", ".join(f"{name} {seconds * 1e3:.2f}" for name, seconds in medians.items())
    print(f"reads: round {number}: {told} ms", file=sys.stderr, flush=True)


if __name__ == "__main__":
    on_a_world(lambda world, rounds, _: measure(world, rounds), __doc__, rounds=ROUNDS)
