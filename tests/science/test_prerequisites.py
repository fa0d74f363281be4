"""Is the graph of prerequisites one without cycles, and is reach the best path?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.prerequisites import Edge, prerequisites


def test_reach_is_the_best_product_of_strengths() -> None:
    graph = prerequisites([Edge("a", "b", 0.5), Edge("b", "c", 0.8), Edge("a", "c", 0.3)])
    assert graph.reach("a") == {"b": 0.5, "c": pytest.approx(0.4)}
    assert graph.reach("c") == {}


def test_reach_ends_after_five_edges() -> None:
    graph = prerequisites([Edge(str(i), str(i + 1), 1.0) for i in range(8)])
    assert set(graph.reach("0")) == {"1", "2", "3", "4", "5"}
    assert graph.blocks_count("0") == 1
    assert graph.blocks_count_all("0") == 8


def test_a_long_strong_path_wins_over_a_short_weak_one_but_not_beyond_the_depth() -> None:
    edges = [Edge("a", "z", 0.1), *[Edge(x, y, 0.9) for x, y in zip("abcde", "bcdez", strict=True)]]
    assert prerequisites(edges).reach("a")["z"] == pytest.approx(0.9**5)
    assert prerequisites(edges).reach("a", depth=4)["z"] == 0.1


@pytest.mark.parametrize("edges", [[("a", "a")], [("a", "b"), ("b", "a")], [("a", "b"), ("b", "c"), ("c", "a")]])
def test_an_edge_that_closes_a_cycle_is_refused(edges: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidModelInput, match="cycle"):
        prerequisites([Edge(a, b) for a, b in edges])


@pytest.mark.parametrize("strength", [0.0, -0.1, 1.1, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(strength: float) -> None:
    with pytest.raises(InvalidModelInput):
        prerequisites([Edge("a", "b", strength)])


def test_an_edge_given_twice_is_refused() -> None:
    with pytest.raises(InvalidModelInput):
        prerequisites([Edge("a", "b"), Edge("a", "b", 0.9)])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 1.0)), max_size=25))
def test_levels_put_every_topic_after_what_it_needs(raw: list[tuple[int, int, float]]) -> None:
    edges = {(min(a, b), max(a, b)): e for a, b, e in raw if a != b}
    graph = prerequisites([Edge(str(a), str(b), e) for (a, b), e in edges.items()])
    wanted = [str(i) for i in range(0, 10, 2)]
    place = {topic: i for i, level in enumerate(graph.levels(wanted)) for topic in level}
    assert sorted(place) == sorted(wanted)
    for topic in wanted:
        for behind, strength in graph.reach(topic, depth=10).items():
            assert 0.0 < strength <= 1.0
            if behind in place:
                assert place[topic] < place[behind]
