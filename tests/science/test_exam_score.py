"""The exam in closed form: golden case, a simulation, what dominates, and what must be monotone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.exam_score import ExamState, exam_score, pass_chance, section_chances, simulate_scores

GOLDEN = ExamState(
    shares=np.array([0.5, 0.3, 0.2]), eta=np.array([0.8, 0.2, -0.4]), topic_variance=np.array([0.2, 0.3, 0.6]),
    ability_variance=np.array(0.15), questions=100, item_spread=1.0,
)  # fmt: skip


def test_golden_case():
    score = exam_score(GOLDEN)
    assert score.topic_chances == pytest.approx([0.656273, 0.539827, 0.423616], abs=5e-7)
    assert float(score.expected) == pytest.approx(0.574808, abs=5e-7)
    assert float(score.item_variance) == pytest.approx(0.00236147, abs=5e-9)
    assert float(score.topic_variance) == pytest.approx(0.00357244, abs=5e-9)
    assert float(score.ability_variance) == pytest.approx(0.00531645, abs=5e-9)
    assert float(score.sd) == pytest.approx(0.106068, abs=5e-7)
    assert float(pass_chance(GOLDEN, 0.55).value) == pytest.approx(0.592465, abs=5e-7)


def test_without_the_shared_ability_less_than_half_of_the_spread_is_left():
    rng = np.random.default_rng(0)
    state = ExamState(
        shares=np.full(40, 1 / 40), eta=rng.normal(0.5, 0.5, 40), topic_variance=np.full(40, 0.3),
        ability_variance=np.array(0.15), questions=280,
    )  # fmt: skip
    closed = exam_score(state)
    simulated = simulate_scores(state, 3000, seed=1)
    assert float(closed.sd) == pytest.approx(simulated.std(), rel=0.06)
    assert float(closed.expected) == pytest.approx(simulated.mean(), abs=0.006)
    alone = np.sqrt(closed.item_variance + closed.topic_variance)
    assert float(alone) < 0.5 * float(closed.sd)


def test_many_learners_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(3)
    eta, topic, ability = rng.normal(0, 1, (5, 3)), rng.uniform(0.1, 1, (5, 3)), rng.uniform(0.05, 1, 5)
    together = pass_chance(replace(GOLDEN, eta=eta, topic_variance=topic, ability_variance=ability), 0.6)
    for i in range(5):
        alone = replace(GOLDEN, eta=eta[i], topic_variance=topic[i], ability_variance=np.asarray(ability[i]))
        one = pass_chance(alone, 0.6)
        assert (float(one.value), float(one.low), float(one.high)) == pytest.approx(
            (together.value[i], together.low[i], together.high[i])
        )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.floats(0.01, 2), st.floats(0.05, 0.9), st.floats(0.01, 1),
)  # fmt: skip
def test_the_chance_rises_with_ability_and_falls_with_the_pass_mark(eta, ability_variance, cut, more):
    state = replace(GOLDEN, eta=np.array(eta), ability_variance=np.array(ability_variance))
    better = replace(state, eta=state.eta + more)
    now, then = pass_chance(state, cut), pass_chance(better, cut)
    assert 0 <= float(now.low) <= float(now.value) <= float(now.high) <= 1
    assert float(exam_score(better).expected) > float(exam_score(state).expected)
    assert float(pass_chance(state, min(0.95, cut + 0.05)).value) <= float(now.value) + 1e-12
    if float(exam_score(state).expected) < cut < float(exam_score(better).expected):
        assert float(then.value) > float(now.value)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.integers(0, 2), st.floats(0.01, 2), st.floats(0.2, 0.8),
)  # fmt: skip
def test_points_and_chance_rise_with_each_topics_share_of_points(eta, topic, more, cut):
    """E is Σ w·p, and where the learner is known P follows it: no topic may lower either by being known better."""
    known = replace(GOLDEN, eta=np.array(eta), topic_variance=np.zeros(3), ability_variance=np.array(0.0),
                    questions=1_000_000)  # fmt: skip
    better = replace(known, eta=known.eta + more * np.eye(3)[topic])
    now, then = exam_score(known), exam_score(better)
    assert float(now.expected) == pytest.approx(float(known.shares @ now.topic_chances), rel=1e-12)
    gained = known.shares[topic] * (then.topic_chances[topic] - now.topic_chances[topic])
    assert float(then.expected - now.expected) == pytest.approx(float(gained), abs=1e-12)
    assert float(pass_chance(better, cut).value) >= float(pass_chance(known, cut).value) - 1e-9


def test_topics_without_evidence_widen_the_interval():
    unseen = replace(GOLDEN, topic_variance=np.array([0.2, 0.3, 2.0]))
    assert float(exam_score(unseen).sd) > float(exam_score(GOLDEN).sd)


@pytest.mark.parametrize(
    "change",
    [{"shares": np.array([0.5, 0.3, 0.1])}, {"questions": 0}, {"topic_variance": np.array([-1.0, 0, 0])},
     {"shares": np.array([1.5, -0.3, -0.2])}],
)  # fmt: skip
def test_impossible_exams_are_refused(change):
    with pytest.raises(InvalidModelInput):
        replace(GOLDEN, **change)


@pytest.mark.parametrize("cut", [0.0, 1.0, 60.0, float("nan")])
def test_a_pass_mark_in_percent_is_refused(cut):
    with pytest.raises(InvalidModelInput):
        pass_chance(GOLDEN, cut)


def test_a_section_is_an_exam_of_its_own():
    made = section_chances(GOLDEN, np.array([0, 1, 1]), 0.55)
    share = float(GOLDEN.shares[1:].sum())
    alone = replace(
        GOLDEN, shares=GOLDEN.shares[1:] / share, eta=GOLDEN.eta[1:], topic_variance=GOLDEN.topic_variance[1:],
        questions=round(GOLDEN.questions * share),
    )  # fmt: skip
    assert made.below_cut is not None
    assert float(made.expected[1]) == pytest.approx(float(exam_score(alone).expected), abs=1e-12)
    assert float(made.below_cut[1]) == pytest.approx(1 - float(pass_chance(alone, 0.55).value), abs=1e-12)
    assert section_chances(GOLDEN, np.array([0, 1, 1]), None).below_cut is None


def test_practice_that_is_counted_on_widens_in_one_direction_for_all_topics():
    sd = np.array([0.2, 0.1, 0.3])
    more = exam_score(replace(GOLDEN, practice_sd=sd))
    slope_and_share = np.sqrt(float(more.practice_variance))
    alone = [float(exam_score(replace(GOLDEN, practice_sd=np.where(np.arange(3) == k, sd, 0))).practice_variance)
             for k in range(3)]  # fmt: skip
    assert slope_and_share == pytest.approx(sum(np.sqrt(alone)), rel=0.02), "sds add up: one draw for all"
    assert float(more.sd) > float(exam_score(GOLDEN).sd)
    simulated = simulate_scores(replace(GOLDEN, practice_sd=sd * 4), 4000, seed=4)
    assert float(exam_score(replace(GOLDEN, practice_sd=sd * 4)).sd) == pytest.approx(simulated.std(), rel=0.06)
