"""What is true of a simulated learner, and what nobody else is told: ability, forgetting, habits, zone.

The truth is deliberately not one of Osler's models: forgetting is exponential here and a power law there, learning
follows practice with diminishing returns. A forecast that fits the simulation has found it, not been given it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ZONES = (
    "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Kolkata",
    "Asia/Kathmandu", "Africa/Lagos", "Australia/Sydney", "America/St_Johns",
)  # fmt: skip
GUESS = 0.2


@dataclass(frozen=True, slots=True)
class Habits:
    """When and how a learner studies. `weekday_share` is the chance to study on a day, Monday first."""

    zone: str
    weekday_share: tuple[float, ...]
    start_hour: float
    start_spread_hours: float
    session_minutes: float
    share_questions: float
    share_cards: float
    share_reading: float
    tires_after_minutes: float
    interruption_per_hour: float
    breaks_per_hour: float
    break_minutes: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Effects:
    """What habits add to the chance of a right answer, in probability; none unless somebody plants it.

    `notes`: on questions of a topic 1 to 14 days after reading a material on it that notes were taken on.
    `rest`: in the 10 answers after a break.
    """

    notes: float = 0.0
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class LearnerTruth:
    """Everything that is true of one learner at the start.

    Units: `ability`, `skills` and `item_spread` in logits; `stability_days` until recall falls to 1/e after a first
    success; `growth` multiplies it with each success; `gain` is the logit gain of the first question on a topic.
    """

    index: int
    ability: float
    skills: Mapping[str, float]
    gain: float
    stability_days: float
    growth: float
    habits: Habits
    seconds_per_question: float
    confidence_bias: float


def draw_learner(index: int, seed: int, topics: Sequence[str]) -> LearnerTruth:
    """One learner's truth, a function of seed, index and the topics alone."""
    rng = np.random.default_rng([seed, index])
    skills = dict(zip(topics, rng.normal(-0.5, 0.7, len(topics)).tolist(), strict=True))
    return LearnerTruth(
        index=index,
        ability=float(rng.normal(0.0, 0.7)),
        skills=skills,
        gain=float(rng.uniform(0.15, 0.5)),
        stability_days=float(rng.lognormal(math.log(4.0), 0.4)),
        growth=float(rng.uniform(1.7, 2.8)),
        habits=_draw_habits(rng, np.random.default_rng([seed, index, 0xB4EA])),
        seconds_per_question=float(rng.lognormal(math.log(65.0), 0.25)),
        confidence_bias=float(rng.normal(0.3, 0.5)),
    )


def _draw_habits(rng: np.random.Generator, of_breaks: np.random.Generator) -> Habits:
    base = float(rng.uniform(0.55, 0.95))
    weekend = float(rng.uniform(0.6, 1.1))
    # Shares of minutes, not of answers: a card takes seconds, a chapter half an hour.
    questions, cards, reading = rng.dirichlet([19.0, 1.1, 50.0]).tolist()
    return Habits(
        zone=ZONES[int(rng.integers(len(ZONES)))],
        weekday_share=(*([base] * 5), min(0.98, base * weekend), min(0.98, base * weekend)),
        start_hour=float(rng.choice([7.5, 9.0, 14.0, 17.5, 19.5])),
        start_spread_hours=float(rng.uniform(0.4, 2.0)),
        session_minutes=float(rng.uniform(25, 70)),
        share_questions=questions,
        share_cards=cards,
        share_reading=reading,
        tires_after_minutes=float(rng.uniform(40, 120)),
        interruption_per_hour=float(rng.uniform(0.3, 4.0)),
        breaks_per_hour=float(of_breaks.uniform(0.2, 1.2)),
        break_minutes=(5.5, float(of_breaks.uniform(8, 25))),
    )


def chance_correct(ability: float, skill: float, difficulty: float, *, tired: bool) -> float:
    """The true chance of a right answer: a logistic curve above the guessing floor, lower when tired."""
    logit = ability + skill - difficulty - (0.35 if tired else 0.0)
    return GUESS + (1 - GUESS) / (1 + math.exp(-logit))


def chance_recall(elapsed_days: float, stability_days: float) -> float:
    """The true chance to recall a card: exponential forgetting (Ebbinghaus 1885)."""
    return math.exp(-elapsed_days / stability_days)


def skill_after_practice(skill: float, practised: int, gain: float) -> float:
    """The skill after one more question on a topic: diminishing returns, the n-th adds gain / (1 + n/4)."""
    return skill + gain / (1 + practised / 4)
