"""The strength of a whole topic: what was met as it is recalled, the rest as at zero practice."""

from __future__ import annotations

import pytest

from osler.analytics.retrieval.answer import whole_topic
from osler.science.irt import DEFAULTS
from osler.science.logits import averaged_sigmoid

ROW = {"retrieval_strength": 0.9, "items_seen": 10, "ability_mean": 0.4, "ability_variance": 0.2}


def test_unseen_items_count_with_their_chance_at_zero_practice():
    found = whole_topic(ROW, 40, 0.1)
    unseen = averaged_sigmoid(0.5, 0.2 + DEFAULTS.skill_variance)
    assert found["coverage"] == 0.25
    assert found["whole_topic_strength"] == pytest.approx(0.25 * 0.9 + 0.75 * unseen)


def test_a_topic_met_in_full_is_its_seen_items_and_items_that_left_the_catalogue_do_not_count_twice():
    assert whole_topic(ROW, 10, 0.1)["whole_topic_strength"] == pytest.approx(0.9)
    assert whole_topic(ROW, 8, 0.1)["coverage"] == 1.0


@pytest.mark.parametrize(
    "case", [(None, 40, 0.1), (ROW, 0, 0.1), (ROW, 40, None), ({**ROW, "retrieval_strength": None}, 40, 0.1)]
)
def test_nothing_is_said_where_something_is_not_known(case):
    assert whole_topic(*case) == {"coverage": None, "whole_topic_strength": None}
