"""So many in any minute, and not one more."""

from hypothesis import given
from hypothesis import strategies as st

from osler.http.rates_local import MINUTE, LocalCount


@given(st.lists(st.floats(0, 30, allow_nan=False), max_size=80), st.integers(1, 10))
def test_no_minute_has_more_than_its_rate_and_none_is_refused_below_it(pauses: list[float], rate: int) -> None:
    count, at, let_in = LocalCount(), 0.0, list[float]()
    for pause in pauses:
        at += pause
        before = sum(time > at - MINUTE for time in let_in)
        assert count.hit(rate, "learner", "one", at) is (before < rate)
        if before < rate:
            let_in.append(at)


def test_callers_are_counted_apart_and_the_longest_unseen_are_forgotten() -> None:
    count = LocalCount(most_names=2)
    assert [count.hit(1, "learner", name, 0.0) for name in ("a", "b", "a", "b")] == [True, True, False, False]
    assert count.hit(1, "address", "a", 0.0)
    assert count.hit(1, "learner", "a", 0.0), "forgotten: two names are remembered"
    assert not count.hit(1, "address", "a", 0.0)
