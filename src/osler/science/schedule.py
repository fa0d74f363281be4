"""Which cards today, with an exam ahead and so many minutes a day? Policies, and the choice among them by simulation.

* `due_first`: what has fallen to the desired retention, lowest recall first; then unseen cards by exam weight.
* `last_days`: near the exam, all seen cards by expected gain of exam-day recall per minute, due or not.
* never idle: where nothing is due, cards are reviewed ahead by that gain. No rule waits for a better day: a greedy rule
  that did, reached .669 where a fixed desired retention of .80 had .833 (docs/explanation/schedule.md).

Source: gain by cost as in the greedy knapsack, Dantzig 1957; the policies are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osler.science.fsrs import FSRS6, Weights
from osler.science.fsrs_many import first_many, retrievability_many, step_many
from osler.science.review_simulator import FIRST_RATINGS, Costs, Day, Deck, Floats, Ints, Outcome, Policy, simulate

RETENTIONS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95)
WINDOWS = (7, 14)
USUAL_RETENTION = 0.90
MAX_SIMULATED = 1200
NO_CARDS: Ints = np.zeros(0, dtype=np.int64)


def exam_gain(
    deck: Deck, recall: Floats, days_left: int, costs: Costs, weights: Weights = FSRS6, *, day: int
) -> Floats:
    """w·[R·R_exam(pass) + (1−R)·R_exam(again) − R_exam(no review)] / expected minutes of each seen card; −inf unseen.

    `days_left` from today to the exam. A card seen today counts its same-day step.
    """
    seen = deck.seen
    stability = np.where(seen, deck.stability, 1.0)
    difficulty = np.where(seen, deck.difficulty, 5.0)
    elapsed = np.maximum(day - deck.last_day, 0).astype(np.float64)
    ahead = np.full(stability.size, float(days_left))
    after = np.zeros(stability.size)
    for rating, chance in ((3, recall), (1, 1 - recall)):
        ratings = np.full(stability.size, rating, dtype=np.int64)
        then, _ = step_many(stability, difficulty, elapsed, ratings, weights=weights)
        after += chance * retrievability_many(then, ahead, weights=weights)
    without = retrievability_many(stability, elapsed + days_left, weights=weights)
    minutes = costs.expected(recall) / 60
    return np.where(seen, deck.weight * (after - without) / minutes, -np.inf)


def new_gain(deck: Deck, days_left: int, costs: Costs, weights: Weights = FSRS6) -> Floats:
    """w·R_exam(first seen today, however it is rated) / minutes of each unseen card; −inf for seen ones."""
    stability, _ = first_many(np.arange(1, 5, dtype=np.int64), weights=weights)
    recall = retrievability_many(stability, np.full(4, float(days_left)), weights=weights) @ np.array(FIRST_RATINGS)
    return np.where(deck.seen, -np.inf, deck.weight * float(recall) / (costs.new_seconds / 60))


def _by_weight(deck: Deck) -> Ints:
    unseen = np.flatnonzero(~deck.seen)
    return unseen[np.argsort(-deck.weight[unseen], kind="stable")]


def _by_gain(look: Day, costs: Costs, cards: Ints, weights: Weights) -> tuple[Ints, Floats]:
    """Cards of positive gain, the largest first, with it; those reviewed today already are left alone."""
    gain = exam_gain(look.deck, look.recall, look.days_left, costs, weights, day=look.day)[cards]
    order = np.argsort(-gain, kind="stable")
    chosen, sorted_gain = cards[order], gain[order]
    kept = (sorted_gain > 0) & (look.deck.last_day[chosen] < look.day)
    return chosen[kept], sorted_gain[kept]


def plan_policy(window_days: int, weights: Weights = FSRS6) -> Policy:
    """Due cards first, then new ones, then ahead of time by gain; in the last `window_days` all seen cards by gain.

    In those days new cards stand before the seen ones that gain less in their time than the best new card.
    """

    def order(look: Day, costs: Costs) -> tuple[Ints, Ints, Ints]:
        seen = np.flatnonzero(look.deck.seen)
        if look.days_left <= window_days:
            fresh = _by_weight(look.deck)
            cards, gain = _by_gain(look, costs, seen, weights)
            best_new = float(new_gain(look.deck, look.days_left, costs, weights)[fresh[0]]) if fresh.size else -np.inf
            return cards[gain >= best_new], fresh, cards[gain < best_new]
        due = seen[look.due[seen] <= look.day]
        due = due[np.argsort(look.recall[due], kind="stable")]
        ahead, _ = _by_gain(look, costs, seen[look.due[seen] > look.day], weights)
        return due, _by_weight(look.deck), ahead

    return order


def fixed_retention(look: Day, costs: Costs) -> tuple[Ints, Ints, Ints]:
    """What a plain scheduler does, and what every policy is held against: due cards, lowest recall first; else idle."""
    del costs
    seen = np.flatnonzero(look.deck.seen)
    due = seen[look.due[seen] <= look.day]
    return due[np.argsort(look.recall[due], kind="stable")], _by_weight(look.deck), NO_CARDS


def waiting_for_a_better_day(look: Day, costs: Costs) -> tuple[Ints, Ints, Ints]:
    """The tempting rule that must not ship: review a card only on the day when its gain per minute is largest.

    Kept so that the warning stays tested: it leaves minutes unused and forgets what it waits for.
    """
    cards = np.flatnonzero(look.deck.seen)
    now = exam_gain(look.deck, look.recall, look.days_left, costs, day=look.day)
    best = now.copy()
    for wait in (1, 3, 7, 14):
        if wait < look.days_left:
            later = retrievability_many(
                np.where(look.deck.seen, look.deck.stability, 1.0),
                np.maximum(look.day + wait - look.deck.last_day, 0).astype(np.float64),
            )
            best = np.maximum(best, exam_gain(look.deck, later, look.days_left - wait, costs, day=look.day + wait))
    cards = cards[(now[cards] >= best[cards]) & (now[cards] > 0)]
    return cards[np.argsort(-now[cards], kind="stable")], _by_weight(look.deck), NO_CARDS


@dataclass(frozen=True, slots=True)
class Chosen:
    """The desired retention and the length of the final window that did best, with what every choice brought.

    `usual` is what a plain scheduler at .90 brings on the same cards and minutes: what a plan is held against.
    """

    desired_retention: float
    window_days: int
    outcome: Outcome
    usual: Outcome
    tried: tuple[tuple[float, int, float], ...]


def choose_plan(
    deck: Deck, minutes: Floats, *, costs: Costs, seed: int, weights: Weights = FSRS6, seeds: int = 1
) -> Chosen:
    """The best of .70 … .95 with a final window of 7 or 14 days or of all that are left, by exam-day recall Σ w·R.

    A deck of more than 1,200 cards is thinned to a seeded sample with the minutes scaled alike, so that the choice
    takes under two seconds. Of equals the lower retention wins (fewer reviews).
    """
    deck, minutes = _thinned(deck, minutes, seed)
    windows = sorted({min(window, minutes.size) for window in (*WINDOWS, minutes.size)})
    tried: list[tuple[float, int, float]] = []
    outcomes: dict[tuple[float, int], Outcome] = {}
    for retention in RETENTIONS:
        for window in windows:
            runs = [
                simulate(deck, minutes, plan_policy(window, weights), desired_retention=retention, costs=costs,
                         seed=seed + i, weights=weights)
                for i in range(seeds)
            ]  # fmt: skip
            outcomes[retention, window] = runs[0]
            tried.append((retention, window, float(np.mean([run.exam_recall for run in runs]))))
    best = max(tried, key=lambda row: (round(row[2], 6), -row[0], -row[1]))
    usual = simulate(
        deck, minutes, fixed_retention, desired_retention=USUAL_RETENTION, costs=costs, seed=seed, weights=weights
    )
    return Chosen(best[0], best[1], outcomes[best[0], best[1]], usual, tuple(tried))


def _thinned(deck: Deck, minutes: Floats, seed: int) -> tuple[Deck, Floats]:
    cards = deck.stability.size
    if cards <= MAX_SIMULATED:
        return deck, minutes
    kept = np.sort(np.random.default_rng(seed).choice(cards, MAX_SIMULATED, replace=False))
    part = Deck(deck.stability[kept], deck.difficulty[kept], deck.last_day[kept], deck.weight[kept])
    return part, minutes * (MAX_SIMULATED / cards)
