"""Does the gap model hold the brief's formulas to the letter, and rank where they would mislead?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaincinv

from osler.analytics.gaps import model
from osler.analytics.gaps.model import (
    Gap,
    classify_severity,
    detect_knowledge_gap,
    gap_from_data,
    prerequisite_impacts,
    priority_index,
    priority_score,
    severity_score,
)  # fmt: skip
from osler.errors import InvalidModelInput
from osler.science.learning_rate import Practice
from osler.science.prerequisites import Edge, Prerequisites, prerequisites
from osler.science.study_value import Candidate

shares = st.floats(0.0, 1.0)
weights = st.floats(0.0, 10.0)

# (mastery, weight, prerequisite impact, failure rate) -> s, severity: science.md 4.2
GOLDEN = [
    (0.3, 8, 0, 0.55, 0.681, "critical"),
    (0.2, 7, 0, 0.8, 0.752, "critical"),
    (0.0, 0, 0, 0.0, 0.575, "high"),
    (0.3, 5, 0, 0.5, 0.575, "high"),
    (0.5, 8, 0, 0.5, 0.478, "high"),
    (0.7, 10, 0, 0.3, 0.300, "medium"),
    (1.0, 10, 0, 0.0, 0.0, "low"),
]


def test_the_briefs_own_test() -> None:
    gap = detect_knowledge_gap(mastery_score=0.3, accuracy=0.45, board_exam_weight=8.0)
    assert gap.severity == "critical"
    assert gap.priority_score > 7.0
    assert gap.priority_score == pytest.approx(18.925)
    assert gap.priority_index == pytest.approx(50.6, abs=0.05)
    assert gap.gap_score == pytest.approx(0.7)
    assert gap.imputed == ("recent_failure_rate",)


@pytest.mark.parametrize(("mastery", "weight", "impact", "fail", "score", "severity"), GOLDEN)
def test_severity_golden(
    mastery: float, weight: float, impact: float, fail: float, score: float, severity: str
) -> None:
    gap = 1 - mastery
    priority = priority_score(gap, weight, impact, fail)
    assert severity_score(gap, priority) == pytest.approx(score, abs=6e-4)
    assert classify_severity(gap, priority) == severity


@pytest.mark.parametrize(
    ("edge", "above", "below"), [(0.60, "critical", "high"), (0.42, "high", "medium"), (0.20, "medium", "low")]
)
def test_both_sides_of_each_severity_edge(edge: float, above: str, below: str) -> None:
    # at a priority of 20 or more the score is the gap itself
    assert classify_severity(edge, 20.0) == above
    assert classify_severity(math.nextafter(edge, 1), 20.0) == above
    assert classify_severity(math.nextafter(edge, 0), 20.0) == below


def test_priority_inversion_pair_is_shown_but_does_not_rank() -> None:
    mastered, failing = priority_score(0.0, 10), priority_score(0.8, 7, 0, 0.8)
    assert mastered == pytest.approx(20.0)
    assert failing == pytest.approx(17.6)
    assert priority_index(0.0, 10) == 0.0
    assert priority_index(0.8, 7, 0, 0.8) == pytest.approx(59.7, abs=0.05)


@pytest.mark.parametrize("weight", [-1, 11, math.nan, math.inf])
def test_weights_outside_0_to_10_are_refused(weight: float) -> None:
    with pytest.raises(InvalidModelInput):
        priority_score(0.5, weight)
    with pytest.raises(InvalidModelInput):
        priority_index(0.5, weight)


@pytest.mark.parametrize("bad", [-0.01, 1.01, math.nan])
def test_shares_outside_0_to_1_are_refused(bad: float) -> None:
    for arguments in ((bad, 0.5, 5.0), (0.5, bad, 5.0)):
        with pytest.raises(InvalidModelInput):
            detect_knowledge_gap(*arguments)
    with pytest.raises(InvalidModelInput):
        classify_severity(bad, 10.0)
    with pytest.raises(InvalidModelInput):
        classify_severity(0.5, 26.0)


def test_weights_0_and_10_are_the_ends_of_the_range() -> None:
    assert priority_score(0, 0) == 0.0
    assert priority_score(1, 10, 1, 1) == 25.5
    assert priority_index(1, 10, 1, 1) == 100.0


@given(shares, shares, weights, shares, shares)
def test_a_larger_gap_never_ranks_lower(a: float, b: float, weight: float, impact: float, fail: float) -> None:
    small, large = sorted((a, b))
    assert priority_index(small, weight, impact, fail) <= priority_index(large, weight, impact, fail)
    assert 0.0 <= priority_index(large, weight, impact, fail) <= 100.0
    low, high = (severity_score(g, priority_score(g, weight, impact, fail)) for g in (small, large))
    assert low <= high


def judged(n: int, upper: float) -> Gap:
    return gap_from_data(
        0.2, n=n, mastery_upper=upper, board_exam_weight=9, prerequisite_impact=0.3, recent_failure_rate=0.7
    )


def test_no_severity_under_five_answers() -> None:
    assert judged(0, 0.4).severity is None
    assert judged(4, 0.4).severity is None
    assert judged(5, 0.4).severity == "critical"


def test_critical_is_provisional_while_mastery_may_still_be_fair() -> None:
    assert judged(5, 0.60).provisional
    assert not judged(5, 0.59).provisional


def test_recent_failure_rate_is_smoothed_towards_the_population() -> None:
    assert model.recent_failure_rate(20, 20, 0.7) == pytest.approx(21.2 / 24)
    with pytest.raises(InvalidModelInput):
        model.recent_failure_rate(3, 2, 0.7)
    with pytest.raises(InvalidModelInput):
        model.recent_failure_rate(0, 21, 0.7)


def test_derived_weights_give_the_largest_share_ten() -> None:
    assert model.derived_weights({"a": 0.5, "b": 0.25}) == {"a": 10.0, "b": 5.0}
    assert model.derived_weights({}) == {}


def chain() -> Prerequisites:
    return prerequisites([Edge("a", "b", 0.5), Edge("b", "c", 0.8), Edge("a", "c", 0.3), Edge("c", "d", 1.0)])


def test_prerequisite_impact_is_the_share_of_what_is_missing_elsewhere() -> None:
    shares_ = {"a": 0.4, "b": 0.2, "c": 0.2, "d": 0.2}
    gaps = {"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.0}
    assert prerequisite_impacts(chain(), shares_, gaps)["a"] == pytest.approx((0.5 * 0.1 + 0.4 * 0.1) / 0.2)
    assert prerequisite_impacts(chain(), shares_, gaps)["d"] == 0.0
    assert prerequisite_impacts(chain(), shares_, {"a": 1.0}) == {"a": 0.0}


def test_an_unseen_topic_takes_its_parents_level_else_half_its_prerequisites() -> None:
    graph = prerequisites([Edge("p", "new", 1.0), Edge("q", "new", 0.5)])
    known = {"parent": (0.8, 5), "p": (0.6, 9), "q": (-0.3, 9)}
    assert model.unseen_prior_mean("new", "parent", graph, known) == 0.8
    expected = 0.5 * (1.0 * 0.6 + 0.5 * -0.3) / 1.5
    assert model.unseen_prior_mean("new", None, graph, known) == pytest.approx(expected)
    assert model.unseen_prior_mean("new", "parent", graph, known | {"parent": (0.8, 4)}) == pytest.approx(expected)
    assert model.unseen_prior_mean("new", None, graph, {}) == 0.0


def test_learning_path_puts_prerequisites_first_and_then_worth() -> None:
    graph = prerequisites([Edge("x", "y"), Edge("y", "z")])
    assert model.learning_path(["z", "x", "w"], graph, ["z", "w", "x"]) == ["w", "x", "z"]


def candidate(topic: str, exam_share: float, gamma: float = 0.25) -> Candidate:
    return Candidate(topic, exam_share, Practice(-0.5, 0.2, 10, 60.0, gamma, 0.05))


def test_points_an_hour_rank_only_where_they_may() -> None:
    gaps = {"small": detect_knowledge_gap(0.1, 0.2, 2.0), "large": detect_knowledge_gap(0.6, 0.6, 8.0)}
    candidates = [candidate("small", 0.1), candidate("large", 0.6)]
    order, topics, values = model.ranked(gaps, candidates, points_may_rank=True, seed=0)
    assert (order, topics) == ("points_per_hour", ["large", "small"])
    order, topics, again = model.ranked(gaps, candidates, points_may_rank=False, seed=0)
    assert (order, topics) == ("priority_index", ["small", "large"])
    assert again == values


def test_hours_to_close_carry_quantiles_and_count_reviews() -> None:
    practice = Practice(0.5, 0.1, 20, 60.0)
    alone = model.hours_to_close(practice, 1.2, review_and_reading_seconds=0.0, seed=1)
    more = model.hours_to_close(practice, 1.2, review_and_reading_seconds=3600.0, seed=1)
    assert alone.low is not None
    assert alone.median is not None
    assert more.median == pytest.approx(alone.median + 1.0)
    assert alone.low <= alone.median
    with pytest.raises(InvalidModelInput):
        model.hours_to_close(practice, 1.2, review_and_reading_seconds=math.nan, seed=1)


def test_confident_but_wrong_needs_five_stated_confidences() -> None:
    assert model.is_confident_but_wrong(4, 4) is None
    assert model.is_confident_but_wrong(5, 5) is True
    assert model.is_confident_but_wrong(1, 10) is False


@given(st.integers(5, 60), st.data())
def test_confident_but_wrong_is_the_beta_posteriors_bound(n: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, n))
    bound = float(betaincinv(1 + wrong, 3 + n - wrong, 0.2))
    assert model.is_confident_but_wrong(wrong, n) is (bound > 0.30)


def test_fast_wrong_has_its_own_name() -> None:
    assert model.is_fast_wrong(5.0, 10.0, correct=False)
    assert not model.is_fast_wrong(5.0, 10.0, correct=True)
    assert not model.is_fast_wrong(15.0, 10.0, correct=False)
