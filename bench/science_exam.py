"""How fast are exam forecast, review plan and study sessions, as ratios to a thing run beside them, on one core?

Each function gives `{"ratio", "runs", "beside", "target", ...}`: the median of interleaved rounds, in processor time:
what waits for a processor on a busy machine is not slow. Run alone: `python bench/science_exam.py [--json]`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: a ratio to one thread

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import fsrs as py_fsrs
import numpy as np

from command import several
from osler.analytics.efficiency.model import sessionise
from osler.analytics.efficiency.timeline import Timeline
from osler.science.exam_score import ExamState, exam_score, pass_chance, sigmoid
from osler.science.review_simulator import Costs, Deck, simulate
from osler.science.schedule import choose_plan, plan_policy

ROUNDS = 5
TOPICS = 120
DRAWS = 4_000
LEARNERS = 500
START = datetime(2024, 1, 1, tzinfo=UTC)

SCHEDULER = py_fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

Measure = dict[str, Any]


def interleaved(
    mine: Callable[[], object], beside: Callable[[], object], *, n_mine: int, n_beside: int, name: str, target: float
) -> Measure:
    """How many times as fast one unit is as one unit of what runs beside it, in turns after a warm-up of each."""
    mine()
    beside()
    each: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        seconds: list[float] = []
        for run in (mine, beside):
            began = time.process_time()
            run()
            seconds.append(time.process_time() - began)
        each.append((seconds[0] / n_mine, seconds[1] / n_beside))
    ratios = [theirs / ours for ours, theirs in each]
    return {
        "ratio": round(statistics.median(ratios), 2),
        "target": target,
        "runs": [round(r, 2) for r in ratios],
        "beside": name,
        "us_each": round(statistics.median(ours for ours, _ in each) * 1e6, 2),
        "us_each_beside": round(statistics.median(theirs for _, theirs in each) * 1e6, 2),
    }


def _cards(n: int) -> list[py_fsrs.Card]:
    # With ids: Card() without one sleeps a millisecond, and the comparison would be unfair.
    state = py_fsrs.State.Review
    return [
        py_fsrs.Card(card_id=i, state=state, stability=9.0, difficulty=5.0, last_review=START, due=START)
        for i in range(n)
    ]


def _states(learners: int) -> ExamState:
    rng = np.random.default_rng(0)
    return ExamState(
        np.full(TOPICS, 1 / TOPICS), rng.normal(0.5, 0.7, (learners, TOPICS)),
        rng.uniform(0.1, 0.6, (learners, TOPICS)), rng.uniform(0.05, 0.3, learners), 280,
    )  # fmt: skip


def closed_form() -> Measure:
    """Pass chance with its interval, 120 topics, per learner, against a vectorised simulation of 4,000 draws."""
    state = _states(LEARNERS)
    one = _states(1)
    rng = np.random.default_rng(1)
    asked = rng.multinomial(one.questions, one.shares)

    def simulated() -> float:
        ability = rng.normal(0, np.sqrt(one.ability_variance[0]), (DRAWS, 1))
        skill = rng.normal(0, 1, (DRAWS, TOPICS)) * np.sqrt(one.topic_variance[0])
        kappa = 1 / np.sqrt(1 + np.pi * one.item_spread**2 / 8)
        right = rng.binomial(asked, sigmoid(kappa * (one.eta[0] + ability + skill))).sum(axis=1)
        return float((right / one.questions >= 0.6).mean())

    return interleaved(
        lambda: pass_chance(state, 0.6), simulated,
        n_mine=LEARNERS, n_beside=1, name="simulation of 4,000 draws", target=100,
    )  # fmt: skip


def many_learners() -> Measure:
    """Exam score of many learners at once, per learner, against one by one."""
    state = _states(LEARNERS)
    alone = [
        ExamState(state.shares, state.eta[i], state.topic_variance[i], state.ability_variance[i], state.questions)
        for i in range(LEARNERS)
    ]
    return interleaved(
        lambda: exam_score(state), lambda: [exam_score(one) for one in alone],
        n_mine=LEARNERS, n_beside=LEARNERS, name="one learner at a time", target=3,
    )  # fmt: skip


def simulated_reviews() -> Measure:
    """A simulated review of a plan over 75 days, per review, against py-fsrs `review_card`."""
    cards = 1200
    deck = Deck(np.zeros(cards), np.zeros(cards), np.zeros(cards, dtype=np.int64), np.full(cards, 1 / cards))
    minutes = np.full(75, 16.0)
    done = simulate(deck, minutes, plan_policy(7), desired_retention=0.8, costs=Costs(), seed=0)
    reviews = round(done.used_seconds / 10)
    beside = _cards(2000)
    at = START + timedelta(days=9)

    def one_by_one() -> None:
        for card in beside:
            SCHEDULER.review_card(card, py_fsrs.Rating.Good, at)

    return interleaved(
        lambda: simulate(deck, minutes, plan_policy(7), desired_retention=0.8, costs=Costs(), seed=0), one_by_one,
        n_mine=reviews, n_beside=len(beside), name="py-fsrs review_card", target=1,
    )  # fmt: skip


def choice_of_plan() -> Measure:
    """The choice of retention and window for 20,000 cards and 75 days: under two seconds, beside one simulation."""
    rng = np.random.default_rng(0)
    cards = 20_000
    seen = rng.random(cards) < 0.5
    deck = Deck(
        np.where(seen, rng.uniform(1, 60, cards), 0.0), np.full(cards, 5.0),
        np.where(seen, -rng.integers(0, 30, cards), 0), np.full(cards, 1 / cards),
    )  # fmt: skip
    minutes = np.full(75, 90.0)
    measure = interleaved(
        lambda: choose_plan(deck, minutes, costs=Costs(), seed=0),
        lambda: simulate(deck, minutes, plan_policy(7), desired_retention=0.8, costs=Costs(), seed=0),
        n_mine=1, n_beside=1, name="one simulation of all 20,000 cards", target=0,
    )  # fmt: skip
    return {**measure, "seconds": round(measure["us_each"] / 1e6, 2), "seconds_limit": 2.0}


def study_sessions() -> Measure:
    """Study sessions of a learner-year of 50,000 events, per event, against py-fsrs `review_card`."""
    rng = np.random.default_rng(0)
    n = 50_000
    at_us = 1_704_067_200_000_000 + np.cumsum(rng.choice([20, 60, 90, 4000], n, p=[0.5, 0.3, 0.19, 0.01])) * 1_000_000
    is_answer = [i % 3 > 0 for i in range(n)]
    timeline = Timeline(
        [str(UUID(int=i + 1)) for i in range(n)], at_us.tolist(), at_us.tolist(),
        ["question_submit" if answer else "session_heartbeat" for answer in is_answer],
        [None] * n, ["laptop"] * n, [None] * n, [0] * n, (at_us // 86_400_000_000).tolist(), [30.0] * n,
        [True if answer else None for answer in is_answer], [None] * n, [("renal",)] * n,
    )  # fmt: skip
    cards = _cards(2000)
    then = START + timedelta(days=9)
    return interleaved(
        lambda: sessionise(timeline),
        lambda: [SCHEDULER.review_card(card, py_fsrs.Rating.Good, then) for card in cards],
        n_mine=n, n_beside=len(cards), name="py-fsrs review_card", target=3,
    )  # fmt: skip


BENCHES: dict[str, Callable[[], Measure]] = {
    "closed_form": closed_form,
    "many_learners": many_learners,
    "simulated_reviews": simulated_reviews,
    "choice_of_plan": choice_of_plan,
    "study_sessions": study_sessions,
}


if __name__ == "__main__":
    several(BENCHES, __doc__)
