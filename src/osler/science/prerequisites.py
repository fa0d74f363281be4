"""Which topics stand on which? A graph of prerequisites without cycles, with the strength of each edge.

Source: the best product along a path is the shortest path in -ln strength (Bellman 1958); depth 5 is this project's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from osler.errors import InvalidModelInput

DEFAULT_STRENGTH = 0.5
DEPTH = 5


@dataclass(frozen=True, slots=True)
class Edge:
    """`topic` is needed for `dependent`, with a strength in (0, 1]."""

    topic: str
    dependent: str
    strength: float = DEFAULT_STRENGTH


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """The edges by topic: `dependents[a][b]` is how strongly b stands on a. Made by `prerequisites`."""

    dependents: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    needs: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    _reached: dict[tuple[str, int], Mapping[str, float]] = field(
        default_factory=dict[tuple[str, int], Mapping[str, float]], compare=False
    )

    def reach(self, topic: str, depth: int = DEPTH) -> Mapping[str, float]:
        """How strongly each other topic stands on this one: the best product of strengths along a path.

        Paths of at most `depth` edges count. The topic itself is not in the answer.
        """
        if (topic, depth) not in self._reached:
            self._reached[topic, depth] = self._reach(topic, depth)
        return self._reached[topic, depth]

    def _reach(self, topic: str, depth: int) -> dict[str, float]:
        best: dict[str, float] = {}
        frontier = {topic: 1.0}
        for _ in range(depth):
            following: dict[str, float] = {}
            for node, strength in frontier.items():
                for dependent, edge in self.dependents.get(node, {}).items():
                    product = strength * edge
                    if product > max(best.get(dependent, 0.0), following.get(dependent, 0.0)):
                        following[dependent] = product
            best.update(following)
            frontier = following
        return best

    def blocks_count(self, topic: str) -> int:
        """How many topics need this one directly."""
        return len(self.dependents.get(topic, {}))

    def blocks_count_all(self, topic: str) -> int:
        """How many topics need this one directly or through others, at any depth."""
        return len(self.reach(topic, depth=len(self.needs) + 1))

    def levels(self, topics: Iterable[str]) -> list[list[str]]:
        """The given topics in topological order, in levels: a topic comes after all it needs, through others too."""
        wanted = set(topics)
        before: dict[str, set[str]] = {topic: set() for topic in wanted}
        for topic in wanted:
            for behind in self.reach(topic, depth=len(self.needs) + 1).keys() & wanted:
                before[behind].add(topic)
        sorter = TopologicalSorter(before)
        sorter.prepare()
        ordered: list[list[str]] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            ordered.append(ready)
            sorter.done(*ready)
        return ordered


def prerequisites(edges: Iterable[Edge]) -> Prerequisites:
    """The graph of these edges.

    Errors: InvalidModelInput for a strength outside (0, 1], an edge given twice, or an edge that closes a cycle.
    """
    dependents: dict[str, dict[str, float]] = {}
    needs: dict[str, dict[str, float]] = {}
    for edge in edges:
        if not 0.0 < edge.strength <= 1.0:
            raise InvalidModelInput("The strength of a prerequisite must lie above 0 and not above 1.")
        if edge.dependent in dependents.get(edge.topic, {}):
            raise InvalidModelInput("A prerequisite is given twice.", params={"topic": edge.topic})
        dependents.setdefault(edge.topic, {})[edge.dependent] = edge.strength
        needs.setdefault(edge.dependent, {})[edge.topic] = edge.strength
        needs.setdefault(edge.topic, {})
    try:
        TopologicalSorter({topic: set(before) for topic, before in needs.items()}).prepare()
    except CycleError as cycle:
        names = " → ".join(str(name) for name in cycle.args[1])
        raise InvalidModelInput(f"These prerequisites form a cycle: {names}.", code="topics.cycle") from cycle
    return Prerequisites(dependents, needs)
