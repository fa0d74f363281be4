"""Publishing: silent under the minimum, also through differences; the same members always give the same answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.disclosure import (
    Gate,
    complementary,
    differencing_safe,
    noise,
    publish_mean,
    publish_share,
    round_count,
)

GATE = Gate(b"a key")


def people(n, value=0.6):
    return {f"p{i}": value for i in range(n)}


def test_under_the_minimum_every_field_is_silent():
    for published in (publish_mean(GATE, people(9), "m"), publish_share(GATE, dict.fromkeys(people(9), True), "s")):
        assert (published.value, published.n, published.suppressed) == (None, None, "minimum")
    assert publish_mean(GATE, people(10), "m").value is not None


def test_the_minimum_can_be_set_but_never_under_five():
    assert publish_mean(Gate(b"k", 5), people(5), "m").n == 5
    with pytest.raises(InvalidModelInput):
        Gate(b"k", 4)
    with pytest.raises(InvalidModelInput):
        Gate(b"")


def test_nobody_may_be_over_half_of_a_sum():
    values = {**people(11, 0.01), "whale": 0.9}
    assert publish_mean(GATE, values, "m").suppressed == "dominance"


def test_two_legal_means_do_not_give_one_persons_score():
    """The attack that gave it exactly without noise: n and n - 1 people."""
    rng = np.random.default_rng(0)
    errors = []
    for trial in range(40):
        values = {f"p{trial}-{i}": float(v) for i, v in enumerate(rng.uniform(0.3, 0.9, 31))}
        target = f"p{trial}-0"
        without = {name: v for name, v in values.items() if name != target}
        a, b = publish_mean(GATE, values, "m"), publish_mean(GATE, without, "m")
        assert a.value is not None
        assert b.value is not None
        guess = 31 * a.value - 30 * b.value
        errors.append(abs(guess - values[target]))
    assert np.mean(errors) > 0.5


def test_noise_is_keyed_by_the_members_and_never_fresh():
    members = list(people(20))
    assert noise(GATE, members, "m") == noise(GATE, members[::-1], "m")
    assert noise(GATE, members, "m") != noise(GATE, members[:-1], "m")
    assert noise(GATE, members, "m") != noise(Gate(b"other"), members, "m")
    assert abs(noise(GATE, members, "m")) <= 3 / 20


@given(st.integers(10, 200), st.floats(0, 1))
def test_figures_leave_in_steps_with_both_ends_coded(n, value):
    published = publish_mean(GATE, people(n, value), "m")
    if published.value is not None:
        assert 0.05 <= published.value <= 0.95
        assert published.value * 20 == pytest.approx(round(published.value * 20))
    assert published.n is None or published.n % 5 == 0


def test_counts_round_before_the_ratio():
    assert [round_count(n) for n in (7, 8, 31)] == [5, 10, 30]
    share = publish_share(GATE, {f"p{i}": i < 12 for i in range(31)}, "s")
    assert share.n == 30
    assert share.value in {0.15, 0.35, 0.5}


def test_a_group_that_the_total_would_give_away_is_hidden_too():
    groups = {"a": people(30), "b": [f"b{i}" for i in range(20)], "c": [f"c{i}" for i in range(4)]}
    assert complementary(GATE, groups, {"c"}) == {"b"}
    two_small = {**groups, "d": [f"d{i}" for i in range(7)]}
    assert complementary(GATE, two_small, {"c", "d"}) == set()
    assert complementary(GATE, groups, set()) == set()


def test_nested_groups_must_differ_by_the_minimum():
    whole = [f"p{i}" for i in range(31)]
    assert not differencing_safe(GATE, whole[:30], [whole])
    assert differencing_safe(GATE, whole[:21], [whole])
    assert differencing_safe(GATE, whole, [whole])
