"""Is an hour worth more where the exam is, where the learner is unsure, and where others stand on it?"""

from __future__ import annotations

import pytest

from osler.errors import InvalidModelInput
from osler.science.learning_rate import Practice
from osler.science.study_value import Candidate, hour_values


def at(topic: str, exam_share: float, eta: float = 0.0, **more: object) -> Candidate:
    return Candidate(topic, exam_share, Practice(eta, 0.2, 10, 60.0), **more)  # type: ignore[arg-type]


def test_an_hour_is_worth_more_on_a_larger_share_of_the_exam() -> None:
    values = hour_values([at("small", 0.1), at("large", 0.5)], seed=0)
    assert [value.topic for value in values] == ["large", "small"]
    assert values[0].low <= values[0].lower_quarter <= values[0].high
    assert values[0].low >= 0.0


def test_an_hour_on_a_mastered_topic_is_worth_little() -> None:
    values = hour_values([at("mastered", 0.5, 4.0), at("open", 0.3, 0.0)], seed=0)
    assert values[0].topic == "open"


def test_dependents_and_reviews_add_to_it() -> None:
    plain = {v.topic: v.mean for v in hour_values([at("a", 0.2), at("b", 0.2)], seed=0)}
    linked = {v.topic: v.mean for v in hour_values([at("a", 0.2, dependents={"b": 0.5}), at("b", 0.2)], seed=0)}
    assert linked["a"] == pytest.approx(plain["a"] + 0.5 * plain["b"])
    reviewed = hour_values([at("a", 0.2, review_points=3.0, review_seconds=7200.0)], seed=0)[0]
    assert reviewed.mean == pytest.approx(3.0)


def test_the_order_of_candidates_does_not_matter_and_ties_go_to_the_larger_share() -> None:
    candidates = [at("a", 0.2), at("b", 0.3), at("c", 0.0), at("d", 0.0)]
    assert hour_values(candidates, seed=7) == hour_values(candidates[::-1], seed=7)


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InvalidModelInput):
        hour_values([at("a", 1.5)], seed=0)
