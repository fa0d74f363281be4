import numpy as np
import pytest

from osler.errors import Misconfigured
from osler.science import blend, fsrs, fsrs_rs, memory_fit, sbd


def learner(n_cards: int, seed: int = 0, rounds: int = 6, forget: float = 3.0) -> memory_fit.History:
    """A learner who forgets `forget` times as fast as FSRS-6 thinks; reviews at growing intervals."""
    rng = np.random.default_rng(seed)
    rows = []
    for card in range(n_cards):
        memory, day = None, int(rng.integers(0, 200))
        for i in range(rounds):
            gap = 0 if i == 0 else int(np.ceil(rng.exponential(2.0**i)))
            day += gap
            recalled = memory is not None and rng.random() < fsrs.retrievability(memory.stability, gap * forget)
            rating = 3 if recalled or (memory is None and rng.random() < 0.6) else 1
            memory = fsrs.first(rating) if memory is None else fsrs.step(memory, gap, rating)
            rows.append((day * 86400.0 + rng.random() * 3600, card, day, rating))
    rows.sort()
    ts, card, day, rating = (np.array(column) for column in zip(*rows, strict=True))
    return memory_fit.history_of(card, ts, day, rating)


@pytest.fixture
def with_extra(request, monkeypatch):
    monkeypatch.setattr(fsrs_rs, "AVAILABLE", request.param)
    return request.param


def test_under_64_next_day_reviews_the_population_serves():
    history = learner(10)
    fit = memory_fit.fit_learner(history)
    assert fit.n < memory_fit.MIN_REVIEWS
    assert (fit.parameters, fit.fsrs, fit.sbd) == (blend.POPULATION, "too_few", "too_few")


@pytest.mark.parametrize("with_extra", [True, False], indirect=True, ids=["fsrs-rs", "own"])
def test_a_learner_who_forgets_faster_earns_own_parameters(with_extra):
    fit = memory_fit.fit_learner(learner(150))
    assert (fit.fsrs, fit.sbd) == ("accepted", "accepted")
    assert fit.parameters.fsrs.values[2] < fsrs.DEFAULTS[2]


@pytest.mark.parametrize("with_extra", [True, False], indirect=True, ids=["fsrs-rs", "own"])
def test_a_fit_that_loses_on_the_newest_reviews_is_refused(with_extra):
    """A learner who failed everything and then changed for good: the fit to the old days loses."""
    old = learner(120, forget=400.0)
    newest = np.flatnonzero(old.next_day)[int(old.next_day.sum() * 0.75) :]
    rating = old.rating.copy()
    rating[newest] = 3
    changed = memory_fit.History(old.item, old.local_days, old.days, rating, old.is_first)
    fit = memory_fit.fit_learner(changed)
    assert fit.fsrs == "refused"
    assert fit.parameters.fsrs == fsrs.FSRS6


def test_a_refused_or_accepted_fit_never_reads_beyond_its_history():
    history = learner(150)
    stop = 500
    later = history.rating.copy()
    later[stop:] = 5 - later[stop:]
    flipped = memory_fit.History(history.item, history.local_days, history.days, later, history.is_first)
    assert memory_fit.fit_learner(history.until(stop)) == memory_fit.fit_learner(flipped.until(stop))


def test_fits_are_drawn_towards_the_population_up_to_a_thousand_reviews():
    assert memory_fit.shrunk([2.0], [1.0], 100) == (pytest.approx(1.25),)
    assert memory_fit.shrunk([2.0], [1.0], 1000) == (pytest.approx(1 + 1000 / 1300),)
    assert memory_fit.shrunk([2.0], [1.0], 1001) == (2.0,)


def test_a_fitted_value_outside_the_bounds_is_brought_inside():
    wild = [1e9] * 21
    assert fsrs.Weights.clipped(wild).values == fsrs.UPPER


def test_it_is_deterministic():
    history = learner(60)
    assert memory_fit.fit_learner(history) == memory_fit.fit_learner(history)


def test_a_refit_comes_with_a_fifth_more_reviews():
    assert not memory_fit.needs_refit(63, 0)
    assert memory_fit.needs_refit(64, 0)
    assert not memory_fit.needs_refit(119, 100)
    assert memory_fit.needs_refit(120, 100)


def test_histories_clamp_reversed_clocks_and_know_first_reviews():
    history = memory_fit.history_of(
        ["a", "b", "a", "a"], np.array([0.0, 5.0, 86400.0, 80000.0]), np.array([10, 10, 11, 10]), np.array([3, 3, 1, 3])
    )
    assert history.is_first.tolist() == [True, True, False, False]
    assert history.local_days.tolist() == [0, 0, 1, 0]
    assert history.days.tolist() == [0, 0, 1, 0]
    assert history.next_day.tolist() == [False, False, True, False]


def test_without_the_extra_the_thin_wrapper_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fsrs_rs, "_package", None)
    with pytest.raises(Misconfigured, match="osler"):
        fsrs_rs.fit(np.zeros(1, int), np.zeros(1), np.ones(1, int), np.zeros(1, bool))


def test_sbd_parameters_of_a_fit_are_usable():
    assert sbd.checked(memory_fit.fit_learner(learner(150)).parameters.sbd)
