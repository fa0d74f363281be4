"""A history whose older reviews are gone: from kept memories on it is what the whole one is after the cut."""

from dataclasses import replace

import numpy as np
import pytest

from osler.science import blend, fsrs, fsrs_fit, fsrs_many, fsrs_rs, memory_fit, sbd, sbd_fit
from osler.science.memory_fit import Carried, History
from osler.science.waves import waves_of

UNDER = blend.Parameters(fsrs.Weights.clipped([1.1 * w for w in fsrs.DEFAULTS]), sbd.POPULATION._replace(al=-1.5))


def reviews(n: int = 3_000, cards: int = 250, seed: int = 3) -> tuple[np.ndarray, ...]:
    """(card, instant in seconds, local day, rating) in time order, several a day at times."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, 600 * 86_400.0, n))
    card = rng.integers(0, cards, n)
    same = rng.random(n) < 0.1
    at[1:], card[1:] = (
        np.where(same[1:], at[:-1] + 60.0, at[1:]),
        np.where(same[1:], card[:-1], card[1:]),
    )
    order = np.argsort(at, kind="stable")
    at, card = at[order], card[order]
    rating = rng.choice([1, 2, 3, 4], n, p=[0.35, 0.1, 0.45, 0.1])
    return card, at, (at // 86_400).astype(np.int64), rating


def cut_at(cut: int, under: blend.Parameters = UNDER) -> tuple[History, History, np.ndarray]:
    """The whole history, what is left of it from `cut` on with the memories as then, and the left rows' places."""
    card, at, day, rating = reviews()
    whole = memory_fit.history_of(card, at, day, rating)
    folded = blend.fold(whole.item, whole.local_days, whole.days, whole.rating, parameters=under)
    last = np.array([np.flatnonzero(card[:cut] == one)[-1] for one in np.unique(card[:cut])])
    rows = np.concatenate([last, np.arange(cut, card.size)])
    carried = Carried(
        fsrs=(folded.fsrs.stability[last], folded.fsrs.difficulty[last]),
        sbd=(folded.sbd.log_s[last], folded.sbd.fails[last]),
    )
    left = memory_fit.history_of(card[rows], at[rows], day[rows], rating[rows], carried=carried)
    return whole, left, last


@pytest.mark.parametrize("cut", [1, 700, 2_400])
def test_the_reviews_after_a_cut_are_those_of_the_whole_history(cut: int):
    whole, left, last = cut_at(cut)
    assert left.is_first[: last.size].all()
    for name in ("local_days", "days", "rating", "is_first", "next_day"):
        np.testing.assert_array_equal(getattr(left, name)[last.size :], getattr(whole, name)[cut:], err_msg=name)


@pytest.mark.parametrize("cut", [1, 700, 2_400])
def test_their_terms_of_the_likelihood_are_the_same_given_the_memories(cut: int):
    whole, left, last = cut_at(cut)
    for of, theta in ((fsrs_terms, UNDER.fsrs.values), (sbd_terms, UNDER.sbd)):
        everything, after = of(whole, cut), of(left, last.size)
        np.testing.assert_allclose(after.chances, everything.chances, rtol=1e-12)
        assert after.objective(np.array(theta))[0] == pytest.approx(
            everything.objective(np.array(theta))[0], rel=1e-12
        ), of


class Terms:
    """The forecasts of the rows from `start` on, and the objective over the scored ones among them."""

    def __init__(self, chances, objective):
        self.chances, self.objective = chances, objective


def fsrs_terms(history: History, start: int) -> Terms:
    waves, carried = waves_of(history.item), history.carried.fsrs
    folded = fsrs_many.fold(waves, history.local_days, history.rating, weights=UNDER.fsrs, carried=carried)
    weight = np.where(np.arange(history.rating.size) >= start, history.next_day, False).astype(float)
    objective = fsrs_fit.Objective(waves, history.local_days, history.rating, weight, carried=carried)
    return Terms(folded.forecast[start:], objective)


def sbd_terms(history: History, start: int) -> Terms:
    waves, carried = waves_of(history.item), history.carried.sbd
    folded = sbd.fold(waves, history.days, history.rating, parameters=UNDER.sbd, carried=carried)
    weight = np.where(np.arange(history.rating.size) >= start, ~history.is_first, False).astype(float)
    return Terms(
        folded.forecast[start:], sbd_fit.Objective(waves, history.days, history.rating, weight, carried=carried)
    )


def test_gradients_from_kept_memories_equal_differences():
    """The memories are given: nothing of the gradient flows into what would have made them."""
    _, left, last = cut_at(1_500)
    for of, theta in ((fsrs_terms, UNDER.fsrs.values), (sbd_terms, UNDER.sbd)):
        objective, at = of(left, last.size).objective, np.array(theta)
        slopes = [
            (objective(at + step)[0] - objective(at - step)[0]) / (2 * step.max())
            for step in 1e-6 * np.maximum(1.0, np.abs(at)) * np.eye(at.size)
        ]
        np.testing.assert_allclose(objective(at)[1], slopes, atol=3e-8)


def test_a_fit_is_not_that_of_an_invented_first_review():
    _, left, _ = cut_at(2_400)
    invented = replace(left, carried=Carried())
    assert memory_fit.fit_fsrs(left) != memory_fit.fit_fsrs(invented)
    assert memory_fit.fit_sbd(left) != memory_fit.fit_sbd(invented)


def test_fsrs_rs_is_not_asked_where_memories_are_carried_on(monkeypatch):
    """It fits whole histories only: our own gradient answers, installed or not."""
    _, left, _ = cut_at(2_400)
    monkeypatch.setattr(fsrs_rs, "AVAILABLE", True)
    monkeypatch.setattr(fsrs_rs, "fit", lambda *_: pytest.fail("fsrs-rs was asked"))
    with_extra = memory_fit.fit_fsrs(left)
    monkeypatch.setattr(fsrs_rs, "AVAILABLE", False)
    assert memory_fit.fit_fsrs(left) == with_extra


def test_too_few_reviews_after_a_cut_keep_the_parameters_that_the_memories_were_made_under():
    """The reviews that are gone taught these: the population's would forget it."""
    _, left, last = cut_at(2_900)
    short = left.until(last.size + 40)
    fit = memory_fit.fit_learner(short, population=UNDER)
    assert fit.n < memory_fit.MIN_REVIEWS
    assert fit.parameters == UNDER


def test_a_prefix_keeps_what_is_carried():
    _, left, last = cut_at(700)
    assert left.until(last.size + 10).carried is left.carried
