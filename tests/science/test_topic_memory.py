import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.fsrs import FSRS6
from osler.science.topic_memory import TopicMemory, answered, decayed_skill, span_at_close, widened


@given(st.floats(-4, 0), st.floats(0, 1000))
def test_a_weak_topic_does_not_improve_by_waiting(skill, days):
    assert decayed_skill(skill, days, 30) == skill


@given(st.floats(0, 4), st.floats(0, 1000), st.floats(7, 365))
def test_a_strong_one_fades_and_never_below_the_mean(skill, days, span):
    assert 0 <= decayed_skill(skill, days, span) <= skill


def test_after_its_span_nine_tenths_of_a_skill_are_left():
    assert decayed_skill(1.0, 30, 30) == pytest.approx(0.9)
    assert decayed_skill(1.0, 60, 30) == pytest.approx((1 + 2 * FSRS6.factor) ** -0.1542)


def test_the_span_moves_once_a_day_by_most_of_its_answers():
    memory = TopicMemory()
    for correct in (True, True, False):
        memory = answered(memory, 10, correct)
    assert memory.span_days == 30
    memory = answered(memory, 11, False)
    assert memory.span_days == pytest.approx(39)
    assert span_at_close(memory) == pytest.approx(30)
    assert span_at_close(TopicMemory(30, 1, 2, 2)) == 30


def test_the_span_stays_between_a_week_and_a_year():
    low = high = TopicMemory()
    for day in range(60):
        low, high = answered(low, day, False), answered(high, day, True)
    assert (low.span_days, high.span_days) == (7, 365)


@given(st.floats(0.01, 2), st.floats(0, 1e5), st.floats(0.01, 2))
def test_variance_only_grows_and_not_beyond_the_prior(variance, days, prior):
    after = widened(variance, days, prior=prior)
    assert variance <= after <= max(prior, variance)
