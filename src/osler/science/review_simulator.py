"""What would a review plan bring? A learner's remaining days simulated card by card, all cards and seeds at once.

The truth of the simulation is the memory model itself (FSRS-6): it compares plans under that model, and proves no
learning gain. Each day has a budget of seconds; a policy orders the cards; those that fit are reviewed.
Source: expected-cost simulations of Ye, Su, Cao 2022; the step is `fsrs_many.step_many`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.fsrs import FSRS6, Weights
from osler.science.fsrs_many import first_many, interval_many, retrievability_many, step_many

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEVER = 10**6
NEW_SHARE = 0.5
FIRST_RATINGS = (0.25, 0.10, 0.55, 0.10)
"""How often a new card is rated Again, Hard, Good, Easy (start): nobody knows every card at first sight."""
PASS_RATINGS = (0.22, 0.63, 0.15)
"""How often a card that is recalled is rated Hard, Good, Easy (start)."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one review (start; then the learner's medians)."""

    new_seconds: float = 20.0
    pass_seconds: float = 8.0
    fail_seconds: float = 18.0

    def expected(self, recall: Floats) -> Floats:
        """Expected seconds of a review at a chance of recall."""
        return recall * self.pass_seconds + (1 - recall) * self.fail_seconds


@dataclass(frozen=True, slots=True)
class Deck:
    """A learner's cards on the first day; (n,) arrays. Unseen cards have stability 0.

    `weight` is the card's share of the exam (topic share / cards of the topic); `last_day` is when it was last seen,
    counted from today (0 or less); stability in days, difficulty 1 to 10.
    """

    stability: Floats
    difficulty: Floats
    last_day: Ints
    weight: Floats

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Which cards have been reviewed at least once."""
        return self.stability > 0


@dataclass(frozen=True, slots=True)
class Day:
    """What a policy may look at on one simulated day: the deck as it is, recall now, due days, days to the exam."""

    day: int
    days_left: int
    deck: Deck
    recall: Floats
    due: Ints


Policy = Callable[[Day, Costs], tuple[Ints, Ints, Ints]]
"""Gives, each in order: the seen cards that are due, the unseen cards, and seen cards for minutes still free."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a plan brought: expected exam-day recall Σ w·R/Σ w (unseen cards count 0), seconds used and offered."""

    exam_recall: float
    used_seconds: float
    offered_seconds: float
    seen: int


def recall_on(deck: Deck, day: int, weights: Weights = FSRS6) -> Floats:
    """R of each card on a day; 0 for unseen cards."""
    elapsed = np.maximum(day - deck.last_day, 0).astype(np.float64)
    found = retrievability_many(np.where(deck.seen, deck.stability, 1.0), elapsed, weights=weights)
    return np.where(deck.seen, found, 0.0)


def due_days(deck: Deck, desired_retention: float, exam_day: int, weights: Weights = FSRS6) -> Ints:
    """The day on which each seen card falls to the desired retention; NEVER where that is not before the exam."""
    wait = interval_many(np.where(deck.seen, deck.stability, 1.0), desired_retention, weights=weights)
    due = deck.last_day + wait
    return np.where(deck.seen & (due <= exam_day - 1), due, NEVER)


def _affordable(order: Ints, seconds: Floats, budget: float) -> tuple[Ints, float]:
    """The first cards of an order that fit into a budget, and what they cost."""
    spent = np.cumsum(seconds[order])
    count = int(np.searchsorted(spent, budget, side="right"))
    return order[:count], float(spent[count - 1]) if count else 0.0


def simulate(
    deck: Deck,
    minutes: Floats,
    policy: Policy,
    *,
    desired_retention: float,
    costs: Costs,
    seed: int,
    new_share: float = NEW_SHARE,
    weights: Weights = FSRS6,
) -> Outcome:
    """Runs a policy over `minutes` (one entry a day; the exam is on the day after the last).

    Due cards first, up to what is left of the day after `new_share` is kept for unseen cards while there are any; what
    either leaves goes to the other, then to cards ahead of time: none is idle while a card is offered. Ratings are
    drawn by FIRST_RATINGS and PASS_RATINGS. Deterministic by seed, with the same uniforms per card and day in every
    policy.
    """
    rng = np.random.default_rng(seed)
    exam_day = minutes.size
    used = 0.0
    for day in range(exam_day):
        chance, taste = rng.random((2, deck.stability.size))
        recall = recall_on(deck, day, weights)
        look = Day(day, exam_day - day, deck, recall, due_days(deck, desired_retention, exam_day, weights))
        due, fresh, ahead = policy(look, costs)
        budget = float(minutes[day]) * 60
        outcome_cost = np.where(chance < recall, costs.pass_seconds, costs.fail_seconds)
        outcome_cost = np.where(deck.seen, outcome_cost, costs.new_seconds)
        wanted_new = min(fresh.size * costs.new_seconds, new_share * budget)
        done, spent = _affordable(due, outcome_cost, budget - wanted_new)
        learned, spent_new = _affordable(fresh, outcome_cost, budget - spent)
        rest = np.concatenate([due[done.size :], ahead])
        more, spent_more = _affordable(rest, outcome_cost, budget - spent - spent_new)
        used += spent + spent_new + spent_more
        rated = np.concatenate([done, more])
        ratings = np.where(deck.seen, _review_ratings(taste, chance < recall), _drawn(taste, FIRST_RATINGS) + 1)
        deck = _reviewed(deck, rated, learned, ratings=ratings, day=day, weights=weights)
    final = recall_on(deck, exam_day, weights)
    total = float(deck.weight.sum())
    return Outcome(
        exam_recall=float(final @ deck.weight) / total if total > 0 else 0.0,
        used_seconds=used,
        offered_seconds=float(minutes.sum()) * 60,
        seen=int(deck.seen.sum()),
    )


def _drawn(uniform: Floats, shares: Sequence[float]) -> Ints:
    """Which of the shares each uniform falls into, from 0."""
    return np.searchsorted(np.cumsum(shares)[:-1], uniform, side="right").astype(np.int64)


def _review_ratings(uniform: Floats, passed: npt.NDArray[np.bool_]) -> Ints:
    return np.where(passed, _drawn(uniform, PASS_RATINGS) + 2, 1)


def _reviewed(deck: Deck, reviews: Ints, learned: Ints, *, ratings: Ints, day: int, weights: Weights) -> Deck:
    stability, difficulty, last = deck.stability.copy(), deck.difficulty.copy(), deck.last_day.copy()
    if reviews.size:
        elapsed = np.maximum(day - last[reviews], 0).astype(np.float64)
        stability[reviews], difficulty[reviews] = step_many(
            stability[reviews], difficulty[reviews], elapsed, ratings[reviews], weights=weights
        )
    if learned.size:
        stability[learned], difficulty[learned] = first_many(ratings[learned], weights=weights)
    last[reviews] = day
    last[learned] = day
    return Deck(stability, difficulty, last, deck.weight)
