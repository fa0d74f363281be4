import numpy as np
import pytest

from osler.science.memory_fit import History, history_of
from osler.science.rating_check import check_scale


def learner(seed: int = 0, cards: int = 500) -> History:
    """Recall follows the last rating: .55 after Again, .7 Hard, .85 Good, .95 Easy, at like intervals."""
    rng = np.random.default_rng(seed)
    chance = {1: 0.55, 2: 0.7, 3: 0.85, 4: 0.95}
    rows = []
    for card in range(cards):
        day, last = int(rng.integers(0, 50)), 3
        for i in range(6):
            day += int(rng.integers(1, 8)) if i else 0
            passed = rng.random() < chance[last]
            last = int(rng.choice([2, 3, 4], p=[0.15, 0.7, 0.15])) if passed else 1
            rows.append((day * 86400.0 + rng.random() * 3000, card, day, last))
    rows.sort()
    ts, card, day, rating = (np.array(column) for column in zip(*rows, strict=True))
    return history_of(card, ts, day, rating)


def with_ratings(history: History, rating: np.ndarray) -> History:
    return History(history.item, history.local_days, history.days, rating, history.is_first)


def codes(history: History) -> set[str]:
    return {warning.code for warning in check_scale(history)}


@pytest.fixture(scope="module")
def honest():
    return learner()


def test_a_right_mapping_draws_no_warning_of_order(honest):
    assert not codes(honest) & {"not_monotone", "hard_as_forgot", "one_sided"}


def test_easy_and_good_swapped_is_seen_in_the_recall_that_follows(honest):
    swapped = np.select([honest.rating == 3, honest.rating == 4], [4, 3], honest.rating)
    assert "not_monotone" in codes(with_ratings(honest, swapped))


def test_failures_mapped_to_hard_leave_nothing_but_passes(honest):
    assert "one_sided" in codes(with_ratings(honest, np.where(honest.rating == 1, 2, honest.rating)))


def test_hard_pressed_for_forgot_is_named():
    base = learner(seed=1)
    rng = np.random.default_rng(0)
    rating = np.where(rng.random(base.rating.size) < 0.4, 2, base.rating)
    soon = History(base.item, np.where(base.is_first, 0.0, 1.0), base.days, rating, base.is_first)
    assert "hard_as_forgot" in codes(soon)


def test_six_grades_read_as_four_lose_to_the_running_mean(honest):
    """Grade 2 of six is a failure; read as Hard of four it is a pass that forgetting follows."""
    rng = np.random.default_rng(1)
    read_wrongly = np.where((honest.rating == 1) & (rng.random(honest.rating.size) < 0.95), 2, honest.rating)
    assert "loses_to_running_mean" in codes(with_ratings(honest, read_wrongly))


def test_little_data_draws_no_warning():
    assert check_scale(learner(cards=3)) == ()
