"""Is mastery the brief's to the letter, and does the model never improve by waiting?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.analytics.mastery import model
from osler.analytics.mastery.model import calculate_mastery_score, classify, mastery_brief, mastery_score, predict
from osler.domain.attempt_totals import AttemptTotals, merge
from osler.errors import InvalidModelInput
from osler.science.features import Answer, LearnerHistory, TopicHistory
from osler.science.histories import Histories
from osler.science.irt import AbilityState, SkillState
from osler.science.item_easiness import Encoding

shares = st.floats(0.0, 1.0)
DAY = 86_400.0
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class MockAttempt:
    is_correct: bool
    is_first_attempt: bool


def create_mock_attempts(
    total: int, correct: int, first_attempt_correct: int, first_attempt_total: int
) -> list[MockAttempt]:
    repeats, repeats_correct = total - first_attempt_total, correct - first_attempt_correct
    firsts = [MockAttempt(i < first_attempt_correct, True) for i in range(first_attempt_total)]
    return firsts + [MockAttempt(i < repeats_correct, False) for i in range(repeats)]


def test_the_briefs_own_test() -> None:
    attempts = create_mock_attempts(total=20, correct=15, first_attempt_correct=12, first_attempt_total=15)
    mastery = calculate_mastery_score(attempts)
    assert mastery is not None
    assert 0.6 <= mastery <= 0.8
    assert mastery == pytest.approx(0.78)
    assert mastery == calculate_mastery_score(AttemptTotals(20, 15, 15, 12))


def test_the_formula_to_the_letter() -> None:
    assert mastery_brief(0.8, 0.75, 0.9, 1.0) == pytest.approx(0.86)
    assert mastery_brief(0, 0, 0, 0) == 0.0
    assert mastery_brief(1, 1, 1, 1) == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.001, 1.001])
@pytest.mark.parametrize("place", range(4))
def test_shares_outside_0_to_1_are_refused(bad: float, place: int) -> None:
    arguments = [0.5, 0.5, 0.5, 0.5]
    arguments[place] = bad
    with pytest.raises(InvalidModelInput):
        mastery_brief(*arguments)


@given(st.integers(0, 30), st.integers(0, 30), st.data())
def test_with_all_components_the_wrapper_is_the_formula(firsts: int, repeats: int, data: st.DataObject) -> None:
    fc, rc = data.draw(st.integers(0, firsts)), data.draw(st.integers(0, repeats))
    r, mc = data.draw(shares), data.draw(shares)
    counted = AttemptTotals(firsts + repeats, fc + rc, firsts, fc)
    got = mastery_score(counted, retrieval_strength=r, material_completion=mc)
    if firsts:
        assert got.value == pytest.approx(mastery_brief(fc / firsts, (fc + rc) / (firsts + repeats), r, mc))
    if got.value is not None:
        assert got.low is not None
        assert got.high is not None
        assert 0.0 <= got.low <= got.value <= got.high <= 1.0


def test_a_component_without_data_is_left_out_not_zero() -> None:
    got = mastery_score(AttemptTotals(20, 15, 15, 12), retrieval_strength=0.9)
    assert got.components_present == ("first_attempt_accuracy", "overall_accuracy", "retrieval_strength")
    assert got.value == pytest.approx((0.24 + 0.15 + 0.27) / 0.8)


def test_no_attempts_is_null_and_reading_alone_is_exposure() -> None:
    nothing = mastery_score([])
    assert (nothing.value, nothing.low, nothing.n, nothing.status) == (None, None, 0, "insufficient_data")
    assert not nothing.exposure_only
    reading = mastery_score([], material_completion=1.0)
    assert reading.value is None
    assert reading.exposure_only


def test_under_five_attempts_is_insufficient() -> None:
    assert mastery_score(AttemptTotals(4, 4, 4, 4)).status == "insufficient_data"
    assert mastery_score(AttemptTotals(5, 5, 5, 5)).status == "ok"


def test_the_accuracy_interval_covers_nine_in_ten() -> None:
    """Learners with first and repeat accuracies of their own round a population mean of .65; 20 answers each."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(2_000):
        p1, p2 = rng.beta(6.5, 3.5), rng.beta(7.0, 3.0)
        firsts = int(rng.integers(8, 20))
        right1, right2 = int(rng.binomial(firsts, p1)), int(rng.binomial(20 - firsts, p2))
        got = mastery_score(AttemptTotals(20, right1 + right2, firsts, right1), population_mean=0.65)
        truth = (0.3 * p1 + 0.2 * (firsts * p1 + (20 - firsts) * p2) / 20) / 0.5
        assert got.low is not None
        assert got.high is not None
        covered += got.low <= truth <= got.high
    assert 0.87 <= covered / 2_000 <= 0.97


def test_contradicting_counts_are_refused() -> None:
    for counts in ((5, 6, 5, 5), (5, 3, 6, 3), (5, 5, 2, 3), (-1, 0, 0, 0), (5, 1, 3, 2)):
        with pytest.raises(InvalidModelInput):
            AttemptTotals(*counts)


def test_totals_of_two_windows_add_up() -> None:
    a, b = AttemptTotals(20, 15, 15, 12), AttemptTotals(4, 1, 0, 0)
    assert merge(a, b) == AttemptTotals(24, 16, 15, 12)
    assert merge(a, AttemptTotals()) == a


# ------------------------------------------------------------------------------------------ the model
def learner(mean: float = 0.3, variance: float = 0.2, at: float | None = 0.0) -> LearnerHistory:
    return LearnerHistory(ability=AbilityState(mean, variance), at=at)


def topic(mean: float = 0.1, variance: float = 0.3, right: int = 20, wrong: int = 10) -> TopicHistory:
    return TopicHistory(skill=SkillState(mean, variance), right=right, wrong=wrong, at=0.0)


def test_a_learner_at_chance_on_five_options_has_no_mastery() -> None:
    chance = math.log(0.2 / 0.8)
    sure = predict(learner(0.0, 1e-9), topic(0.0, 1e-9), median_easiness=chance, options=5)
    assert sure.value == pytest.approx(0.0, abs=1e-6)
    assert predict(learner(0.0, 1e-9), topic(0.0, 1e-9), median_easiness=chance).value == pytest.approx(0.2)


def test_waiting_widens_and_never_improves_a_weak_topic() -> None:
    weak = topic(-1.5)
    now = predict(learner(-0.5), weak, median_easiness=0.0, at=0.0)
    later = predict(learner(-0.5), weak, median_easiness=0.0, at=90 * DAY)
    assert later.eta == now.eta
    assert later.high - later.low > now.high - now.low
    assert later.label == now.label == "weak"
    back = predict(learner(-0.5), weak, median_easiness=0.0, at=-5 * DAY)
    assert back == now


def test_an_unseen_topic_is_wider_not_lower() -> None:
    seen = predict(learner(), topic(0.0), median_easiness=0.0)
    unseen = predict(learner(), None, median_easiness=0.0)
    assert unseen.label == "unseen"
    assert unseen.eta == seen.eta
    assert unseen.high - unseen.low > seen.high - seen.low


@given(st.floats(-6, 6), st.floats(-4, 4), st.floats(0.001, 3), st.floats(0.001, 3), st.sampled_from([0, 2, 4, 5]))
def test_mastery_is_a_chance_and_its_interval_contains_it(
    ability: float, skill: float, v: float, vk: float, options: int
) -> None:
    got = predict(learner(ability, v), topic(skill, vk), median_easiness=0.0, options=options)
    assert 0.0 <= got.low <= got.value <= got.high <= 1.0


def test_labels_at_their_edges() -> None:
    assert classify(0.80, 0.70, 0.9, 5) == "mastered"
    assert classify(0.79, 0.70, 0.9, 5) == "developing"
    assert classify(0.80, 0.69, 0.9, 5) == "developing"
    assert classify(0.3, 0.1, 0.59, 5) == "weak"
    assert classify(0.3, 0.1, 0.60, 5) == "developing"
    assert classify(0.3, 0.1, 0.59, 4) == "insufficient_data"
    assert classify(0.3, 0.1, 0.59, 0) == "unseen"


def test_an_easiness_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidModelInput):
        predict(learner(), topic(), median_easiness=math.nan)
    with pytest.raises(InvalidModelInput):
        predict(learner(), topic(), median_easiness=0.0, options=1)


def _backwards(rows: Mapping[Any, _Row]) -> dict[Any, _Row]:
    return dict(reversed(list(rows.items())))


def studied(n: int = 30) -> Histories:
    state = model.initial()
    for i in range(n):
        state = model.update(
            state, Answer(f"q{i}", ("heart", "lung")[: 1 + i % 2], i % 3 > 0, 1e9 + i * 60.0), Encoding()
        )
    return state


def test_a_stored_state_comes_back_equal_and_bytes_are_canonical() -> None:
    state = studied()
    assert model.decode(model.encode(state)) == state
    shuffled = Histories(state.learner, _backwards(state.topics), _backwards(state.items))
    assert model.encode(shuffled) == model.encode(state)
    with pytest.raises(InvalidModelInput):
        model.decode(b'{"learner": 3}')


def test_counts_of_the_state_feed_the_score() -> None:
    heart = studied().topics["heart"]
    counted = model.totals_of_history(heart)
    assert (counted.total, counted.correct, counted.first_attempt_total) == (30, 20, 30)


def test_time_to_mastery_is_seeded_and_shorter_with_more_time_a_day() -> None:
    weak = predict(learner(-0.2), topic(0.0), median_easiness=0.0)
    arguments = {"seconds_per_attempt": 60.0, "seed": 3}
    slow = model.time_to_mastery(weak, planned_seconds_per_day=1800.0, **arguments)
    assert slow == model.time_to_mastery(weak, planned_seconds_per_day=1800.0, **arguments)
    fast = model.time_to_mastery(weak, planned_seconds_per_day=7200.0, **arguments)
    assert fast.low is not None
    assert slow.low is None or fast.low < slow.low


def test_never_is_said_where_practice_does_not_help() -> None:
    weak = predict(learner(-1.0, 0.01), topic(0.0, 0.01), median_easiness=0.0)
    span = model.time_to_mastery(weak, seconds_per_attempt=60.0, seed=0, gamma=-0.1, gamma_sd=0.0)
    assert (span.median, span.never_share) == (None, 1.0)


def test_a_mastered_topic_needs_nothing_more() -> None:
    strong = predict(learner(3.0, 0.01), topic(1.0, 0.01), median_easiness=0.5)
    assert strong.label == "mastered"
    assert model.time_to_mastery(strong, seconds_per_attempt=60.0, seed=0).median == 0.0
