import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science import blend, fsrs, sbd
from osler.science.logits import logit, sigmoid


def one_by_one(item, local, exact, rating):
    memories, bias, out = {}, 0.0, []
    for i, t_local, t, g in zip(item, local, exact, rating, strict=True):
        memory = memories.get(i)
        forecast = blend.recall(memory, int(t_local), t, bias=bias)
        out.append(np.nan if forecast is None else forecast)
        if forecast is not None and t_local >= 1:
            bias = blend.update_bias(bias, forecast, g >= 2)
        memories[i] = blend.review(memory, int(t_local), t, int(g))
    return np.array(out), bias


@pytest.fixture(scope="module")
def history():
    rng = np.random.default_rng(5)
    n = 900
    item, rating = rng.integers(0, 120, n), rng.choice([1, 2, 3, 4], n, p=[0.3, 0.1, 0.5, 0.1])
    local = np.where(rng.random(n) < 0.25, 0.0, np.ceil(rng.exponential(5, n)))
    return item, local, local + rng.random(n) * 0.4, rating


def test_fold_and_scan_equal_one_by_one(history):
    item, local, exact, rating = history
    folded = blend.fold(item, local, exact, rating)
    is_first = np.isnan(folded.logit)
    served, bias = blend.scan_bias(folded.logit, rating >= 2, ~is_first & (local >= 1))
    expected, expected_bias = one_by_one(*history)
    np.testing.assert_allclose(served, expected, rtol=1e-11)
    assert bias == pytest.approx(expected_bias, rel=1e-11)
    assert is_first.sum() == len(set(item.tolist()))


def test_the_same_input_gives_the_same_bits(history):
    first, second = (blend.fold(*history).logit for _ in range(2))
    assert np.array_equal(first, second, equal_nan=True)


def test_never_reviewed_is_no_number():
    assert blend.recall(None, 3, 3.0) is None


def test_on_the_same_day_sbd_answers_and_no_certainty_reaches_a_log_loss():
    memory = blend.review(None, 0, 0.0, 1)
    assert fsrs.retrievability(memory.fsrs.stability, 0) == 1
    assert blend.recall(memory, 0, 0.02) == pytest.approx(sbd.recall(memory.sbd, 0.02))
    shifted = blend.recall(memory, 0, 0.4)
    assert shifted is not None
    assert shifted < 0.9


def test_the_served_chance_is_the_mean_logit_moved_by_the_bias():
    memory = blend.review(None, 0, 0.0, 3)
    z = (logit(fsrs.retrievability(memory.fsrs.stability, 4)) + logit(sbd.recall(memory.sbd, 4.2))) / 2
    assert blend.recall(memory, 4, 4.2, bias=0.3) == pytest.approx(sigmoid(z + 0.3))


def test_a_reversed_clock_counts_as_no_time():
    memory = blend.review(None, 0, 0.0, 3)
    assert blend.review(memory, -1, -0.5, 3) == blend.review(memory, 0, 0.0, 3)


def test_the_bias_learns_slowly_and_stays_in_its_bounds():
    assert blend.update_bias(0.0, 0.9, False) == pytest.approx(-0.018)
    bias = 0.0
    for _ in range(1000):
        bias = blend.update_bias(bias, 0.99, False)
    assert bias == -blend.BIAS_LIMIT


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), max_size=12),
    st.integers(1, 4),
    st.floats(0.7, 0.97),
    st.floats(-1, 1),
)
def test_curve_and_calendar_agree(later, rating, wanted, bias):
    memory = blend.review(None, 0, 0.0, rating)
    for days, g in later:
        memory = blend.review(memory, days, float(days), g)
    due = blend.due_in_days(memory, wanted, bias=bias)
    assert 1 <= due <= blend.CAP_DAYS
    assert due == 1 or blend.recall(memory, due, float(due), bias=bias) >= wanted - 1e-12
    assert due == blend.CAP_DAYS or blend.recall(memory, due + 1, due + 1.0, bias=bias) < wanted


def test_a_due_day_needs_a_usable_target_and_cap():
    memory = blend.review(None, 0, 0.0, 3)
    assert blend.due_in_days(memory, 0.9, cap_days=1) == 1
    for wanted, cap in ((0.0, 9), (1.0, 9), (0.9, 0)):
        with pytest.raises(InvalidModelInput):
            blend.due_in_days(memory, wanted, cap_days=cap)
