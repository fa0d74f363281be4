import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsrs as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science import fsrs, fsrs_many
from osler.science.waves import waves_of

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "fsrs6.json").read_text())
START = datetime(2024, 1, 1, tzinfo=UTC)

weights = st.tuples(*(st.floats(low, high) for low, high in zip(fsrs.LOWER, fsrs.UPPER, strict=True))).map(fsrs.Weights)


@pytest.mark.parametrize("path", GOLDEN["paths"])
def test_golden_paths(path):
    memory = None
    for rating, days, recall, stability, difficulty, interval in path:
        if memory is None:
            memory = fsrs.first(rating)
        else:
            assert fsrs.retrievability(memory.stability, days) == pytest.approx(recall, abs=5e-7)
            memory = fsrs.step(memory, days, rating)
        assert memory.stability == pytest.approx(stability, abs=5e-7)
        assert memory.difficulty == pytest.approx(difficulty, abs=5e-7)
        assert fsrs.interval(memory.stability) == interval


def test_golden_curve_and_intervals_of_ten_days():
    for days, recall in GOLDEN["stability_10"]["recall"].items():
        assert fsrs.retrievability(10, int(days)) == pytest.approx(recall, abs=5e-7)
    for wanted, interval in GOLDEN["stability_10"]["interval"].items():
        assert fsrs.interval(10, float(wanted)) == interval
        assert fsrs_many.interval_many(np.array([10.0]), float(wanted)).tolist() == [interval]


def random_walk(rng, cards, steps):
    """(rating, days) of random histories: a fifth of the reviews fall on the same day."""
    rating = rng.choice([1, 2, 3, 4], (steps, cards), p=[0.2, 0.15, 0.5, 0.15])
    days = np.where(rng.random((steps, cards)) < 0.2, 0, np.ceil(rng.exponential(30, (steps, cards)))).astype(int)
    return rating, days


def test_a_hundred_thousand_random_steps_equal_py_fsrs():
    rng = np.random.default_rng(0)
    rating, days = random_walk(rng, 5_000, 21)
    scheduler = reference.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    cards = [reference.Card(card_id=i, due=START) for i in range(rating.shape[1])]
    at = [START] * len(cards)
    s, d = fsrs_many.first_many(rating[0])
    worst, wrong_intervals, checked = 0.0, 0, 0
    for i in range(rating.shape[0]):
        if i:
            at = [moment + timedelta(days=int(t)) for moment, t in zip(at, days[i], strict=True)]
            recall = np.array([scheduler.get_card_retrievability(c, m) for c, m in zip(cards, at, strict=True)])
            mine = fsrs_many.retrievability_many(s, days[i].astype(float))
            worst = max(worst, np.abs(mine / recall - 1).max())
            s, d = fsrs_many.step_many(s, d, days[i].astype(float), rating[i])
        cards = [
            scheduler.review_card(card, reference.Rating(int(g)), moment)[0]
            for card, g, moment in zip(cards, rating[i], at, strict=True)
        ]
        theirs = np.array([(card.stability, card.difficulty) for card in cards])
        worst = max(worst, np.abs(s / theirs[:, 0] - 1).max(), np.abs(d / theirs[:, 1] - 1).max())
        due = np.array([(card.due - moment).days for card, moment in zip(cards, at, strict=True)])
        wrong_intervals += int((fsrs_many.interval_many(s) != due).sum())
        checked += s.size
    assert checked > 100_000
    assert worst < 1e-12
    assert wrong_intervals == 0


def test_other_weights_equal_py_fsrs_too():
    rng = np.random.default_rng(1)
    low, high = np.array(fsrs.LOWER), np.array(fsrs.UPPER)
    for _ in range(20):
        w = fsrs.Weights(tuple(low + (high - low) * rng.random(21)))
        scheduler = reference.Scheduler(w.values, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
        rating, days = random_walk(rng, 1, 25)
        card, at, memory = reference.Card(card_id=1, due=START), START, None
        for g, t in zip(rating[:, 0].tolist(), days[:, 0].tolist(), strict=True):
            at += timedelta(days=t)
            card = scheduler.review_card(card, reference.Rating(g), at)[0]
            memory = fsrs.first(g, weights=w) if memory is None else fsrs.step(memory, t, g, weights=w)
            assert card.stability is not None
            if card.stability > fsrs.STABILITY_MAX:
                break  # py-fsrs has no upper bound
            assert memory.stability == pytest.approx(card.stability, rel=1e-11)
            assert memory.difficulty == pytest.approx(card.difficulty, rel=1e-11)


def test_one_by_one_and_many_at_once_give_the_same_values():
    rng = np.random.default_rng(2)
    rating, days = random_walk(rng, 400, 12)
    s, d = fsrs_many.first_many(rating[0])
    memories = [fsrs.first(int(g)) for g in rating[0]]
    for i in range(1, 12):
        s, d = fsrs_many.step_many(s, d, days[i].astype(float), rating[i])
        memories = [fsrs.step(m, int(t), int(g)) for m, t, g in zip(memories, days[i], rating[i], strict=True)]
    np.testing.assert_allclose(s, [m.stability for m in memories], rtol=1e-12)
    np.testing.assert_allclose(d, [m.difficulty for m in memories], rtol=1e-12)


def test_a_row_does_not_depend_on_its_neighbours_or_its_block():
    rng = np.random.default_rng(3)
    n = fsrs_many.BLOCK * 2 + 17
    s, d = rng.uniform(0.01, 500, n), rng.uniform(1, 10, n)
    t, g = np.floor(rng.exponential(20, n)), rng.integers(1, 5, n)
    whole = fsrs_many.step_many(s, d, t, g)
    for rows in (slice(0, 1), slice(5, 6), slice(fsrs_many.BLOCK - 1, fsrs_many.BLOCK + 2), slice(n - 3, n)):
        alone = fsrs_many.step_many(s[rows].copy(), d[rows].copy(), t[rows].copy(), g[rows].copy())
        assert np.array_equal(alone[0], whole[0][rows])
        assert np.array_equal(alone[1], whole[1][rows])


def test_the_fold_in_waves_equals_each_card_by_itself():
    rng = np.random.default_rng(4)
    card = rng.integers(0, 60, 800)
    days, rating = np.floor(rng.exponential(4, 800)), rng.integers(1, 5, 800)
    folded = fsrs_many.fold(waves_of(card), days, rating)
    memory: dict[int, fsrs.Memory] = {}
    for row, (c, t, g) in enumerate(zip(card.tolist(), days.tolist(), rating.tolist(), strict=True)):
        if c not in memory:
            assert np.isnan(folded.forecast[row])
            memory[c] = fsrs.first(g)
        else:
            assert folded.forecast[row] == pytest.approx(fsrs.retrievability(memory[c].stability, t), rel=1e-12)
            memory[c] = fsrs.step(memory[c], int(t), g)
        assert folded.stability[row] == pytest.approx(memory[c].stability, rel=1e-11)
        assert folded.difficulty[row] == pytest.approx(memory[c].difficulty, rel=1e-11)


def test_the_same_day_floor_holds_from_hard_upwards_as_in_6_3_2():
    before = fsrs.Memory(1.2931, 5.0)
    assert fsrs.step(before, 0, 2).stability == before.stability
    assert fsrs.step(before, 0, 3).stability >= before.stability
    assert fsrs.step(before, 0, 1).stability < before.stability


@pytest.mark.parametrize("index", range(21))
def test_weights_out_of_bounds_are_refused_and_clipping_is_asked_for(index):
    for edge, beyond in ((fsrs.LOWER, -1e-6), (fsrs.UPPER, 1e-6)):
        values = list(fsrs.DEFAULTS)
        values[index] = edge[index] + beyond
        with pytest.raises(InvalidModelInput, match=f"w{index} "):
            fsrs.Weights(tuple(values))
        assert fsrs.Weights.clipped(values).values[index] == edge[index]


def test_weights_that_are_no_numbers_or_too_few_are_refused():
    with pytest.raises(InvalidModelInput, match="21 parameters"):
        fsrs.Weights((1.0,))
    with pytest.raises(InvalidModelInput, match="finite"):
        fsrs.Weights.clipped([float("nan")] * 21)
    with pytest.raises(ValueError, match="w8"):
        fsrs.Weights((*fsrs.DEFAULTS[:8], float("nan"), *fsrs.DEFAULTS[9:]))


@pytest.mark.parametrize("rating", [0, 5, -1])
def test_a_rating_outside_the_scale_is_refused(rating):
    with pytest.raises(InvalidModelInput):
        fsrs.first(rating)
    with pytest.raises(InvalidModelInput):
        fsrs.step(fsrs.Memory(1, 5), 1, rating)
    with pytest.raises(InvalidModelInput):
        fsrs_many.first_many(np.array([3, rating]))


def test_negative_time_and_odd_retention_are_refused():
    with pytest.raises(InvalidModelInput):
        fsrs.retrievability(1, -1)
    with pytest.raises(InvalidModelInput):
        fsrs_many.step_many(np.ones(1), np.ones(1), np.array([-1.0]), np.array([3]))
    for odd in (0.0, 1.0, 1.5):
        with pytest.raises(InvalidModelInput):
            fsrs.interval(10, odd)
        with pytest.raises(InvalidModelInput):
            fsrs_many.interval_many(np.ones(1), odd)


@given(weights, st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5000)), min_size=1, max_size=40))
def test_any_history_stays_inside_its_ranges(w, history):
    memory = fsrs.first(history[0][0], weights=w)
    for rating, days in history[1:]:
        recall = fsrs.retrievability(memory.stability, days, weights=w)
        assert 0 <= recall <= 1
        after = fsrs.step(memory, days, rating, weights=w)
        assert fsrs.STABILITY_MIN <= after.stability <= fsrs.STABILITY_MAX
        assert 1 <= after.difficulty <= 10
        if rating >= 2 and memory.stability < fsrs.STABILITY_MAX:
            assert after.stability >= memory.stability * (1 - 1e-12)
        memory = after


@given(st.floats(0.001, 36_500), st.floats(0.7, 0.97))
def test_an_interval_is_at_least_one_day_and_falls_with_the_wanted_retention(stability, wanted):
    assert 1 <= fsrs.interval(stability, wanted) <= fsrs.INTERVAL_MAX
    assert fsrs.interval(stability, wanted) <= fsrs.interval(stability, wanted - 0.05)


def test_the_upper_bound_of_stability_holds():
    memory = fsrs.Memory(36_000.0, 1.0)
    assert fsrs.step(memory, 36_000, 4).stability == fsrs.STABILITY_MAX
