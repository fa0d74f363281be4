"""Many items at once: the same values as one by one, due days that agree with the curve, topics with intervals."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analytics.retrieval.test_model import START, folded, review

from osler.analytics.retrieval.model import recall
from osler.analytics.retrieval.strength import (
    columns,
    due_days,
    epoch_seconds,
    recall_after,
    recall_of,
    strength,
    topic_memory,
)  # fmt: skip
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
    assert days == blend.due_in_days(memory.state, desired)
    if 1 < days < 365:
        assert recall_after(items, np.array([float(days)]), np.zeros(1))[0] >= desired
        assert recall_after(items, np.array([days + 1.0]), np.zeros(1))[0] < desired


def test_a_topic_is_the_mean_of_its_items_and_its_interval_holds_it():
    recalls = np.array([0.9, 0.7, 0.5])
    found = strength(recalls, np.array([True, True, False]), np.array([0, 0, 1]), np.array([np.nan, 0.6]))
    assert found.value.tolist() == pytest.approx([0.8, 0.6])
    assert found.seen.tolist() == [2, 1]
    assert found.remembered.tolist() == [2, 0]
    assert all(low <= value <= high for low, value, high in zip(found.low, found.value, found.high, strict=True))


def test_a_topic_without_items_is_unknown_and_not_nought():
    found = strength(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64), np.array([np.nan]))
    assert np.isnan(found.value[0])


def test_shared_error_does_not_shrink_with_the_number_of_items():
    many = strength(np.full(10_000, 0.8), np.ones(10_000, dtype=bool), np.zeros(10_000, dtype=np.int64), np.ones(1))
    assert many.high[0] - many.low[0] > 0.1


def test_a_topics_memory_falls_to_nine_tenths_after_its_stability():
    assert topic_memory(np.array([0.0, 30.0]), np.full(2, 30.0)).tolist() == pytest.approx([1.0, 0.9])
