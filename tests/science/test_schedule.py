"""Schedules: held against fixed retention in simulation; the tempting rule that waits loses; minutes are not idle."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from bench import plan_policies
from osler.science.review_simulator import NEVER, Costs, Deck, due_days, recall_on, simulate
from osler.science.schedule import choose_plan, exam_gain, fixed_retention, plan_policy, waiting_for_a_better_day

COSTS = Costs()


def fresh_deck(n=600):
    return Deck(np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64), np.full(n, 1 / n))


def seen_deck(n=200, seed=0):
    rng = np.random.default_rng(seed)
    last = -rng.integers(0, 40, n)
    return Deck(rng.uniform(2, 60, n), rng.uniform(2, 8, n), last, rng.uniform(0.5, 2, n) / n)


def run(policy, retention, seed=0, minutes=8.0, days=60):
    return simulate(
        fresh_deck(), np.full(days, minutes), policy, desired_retention=retention, costs=COSTS, seed=seed
    )  # fmt: skip


def test_waiting_for_a_better_day_loses_to_fixed_retention_and_leaves_minutes_unused():
    greedy, fixed = run(waiting_for_a_better_day, 0.8), run(fixed_retention, 0.8)
    assert greedy.exam_recall < fixed.exam_recall - 0.1
    assert greedy.used_seconds < 0.7 * greedy.offered_seconds


@pytest.mark.parametrize("minutes", [5.0, 8.0])
def test_the_plan_is_not_worse_than_the_best_fixed_retention(minutes):
    budget = np.full(60, minutes)
    chosen = choose_plan(fresh_deck(), budget, costs=COSTS, seed=0)
    fixed = [
        np.mean([run(fixed_retention, dr, seed, minutes).exam_recall for seed in (1, 2)]) for dr in (0.7, 0.8, 0.9)
    ]
    again = np.mean([
        run(plan_policy(chosen.window_days), chosen.desired_retention, seed, minutes).exam_recall for seed in (1, 2)
    ])  # fmt: skip
    assert again >= max(fixed) - 0.005


@pytest.mark.parametrize("case", plan_policies.cases(), ids=lambda case: case.name)
def test_in_every_case_of_the_page_the_plan_is_not_below_a_fixed_retention(case):
    found = plan_policies.figures(case)
    best = max(recall for name, (recall, _) in found.items() if name.startswith("fixed"))
    assert found["plan, chosen"][0] > best
    assert found["plan, chosen"][0] > found["waits for a better day"][0] - 0.002, "beyond what seeds differ by"
    assert found["plan, chosen"][1] > 0.98, "minutes are used"


def test_the_published_figures_come_out_where_first_ratings_are_drawn():
    """Science page, section 6: two seeds there, four here; one seed differs from another by up to .01."""
    published = {
        (10, 0, 0.9): 0.824, (10, 0, 0.8): 0.839, (10, 0, 0.7): 0.842, (10, 7, 0.7): 0.855, (16, 0, 0.9): 0.957,
        (16, 14, 0.8): 0.970, (16, 7, 0.9): 0.973,
    }  # fmt: skip
    for (minutes, window, retention), figure in published.items():
        policy = plan_policy(window) if window else fixed_retention
        case = plan_policies.Case("", plan_policies.unseen(1200), np.full(75, float(minutes)))
        recalls = [
            simulate(case.deck, case.minutes, policy, desired_retention=retention, costs=COSTS, seed=seed).exam_recall
            for seed in plan_policies.SCORED_ON
        ]
        assert np.mean(recalls) == pytest.approx(figure, abs=0.012), (minutes, window, retention)


@pytest.mark.parametrize("seed", range(6))
def test_on_a_learners_own_state_the_plan_is_not_below_a_plain_policy_beyond_noise(seed):
    rng = np.random.default_rng(seed)
    n, days = int(rng.integers(60, 900)), int(rng.integers(3, 60))
    seen = rng.random(n) < rng.random()
    deck = Deck(
        np.where(seen, rng.lognormal(rng.uniform(0.5, 3), 1.0, n), 0.0), np.where(seen, rng.uniform(2, 9, n), 0.0),
        np.where(seen, -rng.integers(0, 60, n), 0), rng.uniform(0.2, 2, n) / n,
    )  # fmt: skip
    minutes = np.full(days, float(rng.choice([3, 5, 8, 12, 20])))
    chosen = choose_plan(deck, minutes, costs=COSTS, seed=0)

    def recalls(policy, retention):
        runs = [simulate(deck, minutes, policy, desired_retention=retention, costs=COSTS, seed=s) for s in (1, 2, 3, 4)]
        return np.array([run.exam_recall for run in runs])

    plan = recalls(plan_policy(chosen.window_days), chosen.desired_retention)
    for policy, retention in ((fixed_retention, 0.7), (fixed_retention, 0.9), (waiting_for_a_better_day, 0.8)):
        gap = plan - recalls(policy, retention)
        assert gap.mean() > -0.004 - 2 * gap.std(ddof=1) / 2


def test_no_planned_minute_is_idle_while_a_card_gains():
    outcome = run(plan_policy(7), 0.7)
    assert outcome.used_seconds > 0.97 * outcome.offered_seconds


def test_no_card_is_due_at_or_after_the_exam():
    deck = seen_deck()
    due = due_days(deck, 0.7, 12)
    assert ((due == NEVER) | (due <= 11)).all()
    assert (due == NEVER).any()
    unseen = due_days(fresh_deck(5), 0.9, 30)
    assert (unseen == NEVER).all()


def test_the_choice_is_deterministic_and_under_two_seconds():
    deck, budget = fresh_deck(5000), np.full(75, 20.0)
    began = process_time()
    one = choose_plan(deck, budget, costs=COSTS, seed=3)
    assert process_time() - began < 2.0
    assert one == choose_plan(deck, budget, costs=COSTS, seed=3)


def test_gain_is_that_of_the_formula_for_one_card():
    from osler.science.fsrs import Memory, retrievability, step

    deck = Deck(np.array([10.0]), np.array([5.0]), np.array([-4]), np.array([1.0]))
    recall = recall_on(deck, 0)
    gain = exam_gain(deck, recall, 9, COSTS, day=0)
    r = float(recall[0])
    after = [retrievability(step(Memory(10.0, 5.0), 4, g).stability, 9) for g in (3, 1)]
    expected = r * after[0] + (1 - r) * after[1] - retrievability(10.0, 13)
    assert float(gain[0]) == pytest.approx(expected / ((r * 8 + (1 - r) * 18) / 60), rel=1e-12)


def test_unseen_cards_recall_nothing_and_have_no_gain():
    deck = fresh_deck(3)
    assert recall_on(deck, 0).tolist() == [0, 0, 0]
    assert np.isneginf(exam_gain(deck, recall_on(deck, 0), 5, COSTS, day=0)).all()
