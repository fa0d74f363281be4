"""Many items at once: the same values as one by one, due days that agree with the curve."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analytics.retrieval.test_model import START, folded, review

from osler.analytics.retrieval.items import columns, due_days, epoch_seconds, recall_after, recall_of
from osler.analytics.retrieval.model import recall
from osler.science import blend

histories = st.lists(st.tuples(st.integers(1, 4), st.floats(0, 30)), min_size=1, max_size=8)


def item(steps):
    day, reviews = 0.0, []
    for rating, wait in steps:
        day += wait
        reviews.append(review(rating, day))
    return folded(*reviews)[0]


@given(st.lists(histories, min_size=1, max_size=5), st.floats(0, 200), st.floats(-1, 1))
def test_recall_of_many_is_recall_of_each(many, ahead, bias):
    memories = [item(steps) for steps in many]
    at = START + timedelta(days=300 + ahead)
    n = len(memories)
    found = recall_of(
        columns([("card", memory) for memory in memories]),
        np.full(n, epoch_seconds(at)), np.full(n, at.date().toordinal()), np.full(n, bias),
    )  # fmt: skip
    assert found == pytest.approx([recall(memory, at, at.date(), bias) for memory in memories], rel=1e-11)


@given(histories, st.sampled_from([0.8, 0.9, 0.95]))
def test_due_is_the_last_day_that_still_reaches_the_target(steps, desired):
    memory = item(steps)
    items = columns([("card", memory)])
    [days] = due_days(items, np.zeros(1), np.array([desired])).tolist()
    assert memory.state is not None
    assert days == blend.due_in_days(memory.state, desired)
    if 1 < days < 365:
        assert recall_after(items, np.array([float(days)]), np.zeros(1))[0] >= desired
        assert recall_after(items, np.array([days + 1.0]), np.zeros(1))[0] < desired
