"""Spans: the union is the time, whatever order and overlap it comes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from osler.science.spans import intersect, length, subtract, union

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def seconds(spans):
    return {t for start, end in spans for t in range(start, end)}


@given(SPANS, SPANS)
def test_they_do_what_sets_of_seconds_do(a, b):
    one, other = union(a), union(b)
    assert seconds(one) == seconds(a)
    assert length(one) == len(seconds(a))
    assert seconds(subtract(one, other)) == seconds(a) - seconds(b)
    assert seconds(intersect(one, other)) == seconds(a) & seconds(b)
