"""Spans: the union is the time, whatever order and overlap it comes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from osler.science.spans import Spans, overlap, subtract, union

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def spans(pairs):
    made = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Spans(made[:, 0], made[:, 1])


def seconds(found):
    return {t for start, end in zip(found.start.tolist(), found.end.tolist(), strict=True) for t in range(start, end)}


@given(SPANS, SPANS)
def test_they_do_what_sets_of_seconds_do(a, b):
    one, other = union(spans(a)), union(spans(b))
    assert one.lengths.sum() == len(seconds(one)) == len(seconds(spans(a)))
    assert seconds(subtract(one, other)[0]) == seconds(spans(a)) - seconds(spans(b))
    assert seconds(overlap(spans([*zip(*one, strict=True), *zip(*other, strict=True)]))) == seconds(one) & seconds(
        other
    )


@given(SPANS, SPANS)
def test_what_is_left_of_a_span_is_known_by_its_number(a, b):
    left, which = subtract(spans(a), union(spans(b)))
    for start, end, number in zip(left.start.tolist(), left.end.tolist(), which.tolist(), strict=True):
        assert a[number][0] <= start < end <= a[number][1]
