"""Is the skill learned yet? Bayesian knowledge tracing, fitted for all skills at once by expectation–maximisation.

Sources: Corbett & Anderson 1995; the E step uses that a learned skill is never forgotten: the smoothed chance is
the later one times (filtered now / predicted next).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROUNDS = 25
LARGEST_SLIP = 0.5
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Skills:
    """Chances by skill, each (skills,): known at first, learned at a step, right unknown, wrong though known."""

    prior: Floats
    learn: Floats
    guess: Floats
    slip: Floats


@dataclass(frozen=True, slots=True)
class Waves:
    """Answers of many sequences laid out step by step: all first ones, then all second ones, and so on.

    `order` puts rows into this layout; wave t is `start[t]:start[t + 1]`, and its j-th entry belongs to the j-th
    sequence, as sequences stand from longest to shortest. `skill` is that of each sequence.
    """

    order: Ints
    start: Ints
    skill: Ints


def waves(learner: Ints, skill: Ints) -> Waves:
    """The layout of rows in order of time; a sequence is one learner on one skill.

    Shapes: two (n,) arrays of codes from 0.
    """
    key = learner * (int(skill.max(initial=0)) + 1) + skill
    by_sequence = np.argsort(key, kind="stable")
    _, first, counts = np.unique(key[by_sequence], return_index=True, return_counts=True)
    longest = np.argsort(-counts, kind="stable")
    first, counts = first[longest], counts[longest]
    sizes = np.array([int((counts > t).sum()) for t in range(int(counts.max(initial=0)))], dtype=np.int64)
    order = np.concatenate([by_sequence[first[:m] + t] for t, m in enumerate(sizes.tolist())]) if sizes.size else first
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Waves(np.asarray(order, dtype=np.int64), start, skill[by_sequence[first]])


def fit(learner: Ints, skill: Ints, correct: Floats, *, skills: int, rounds: int = ROUNDS) -> Skills:
    """The chances by skill after so many rounds; guess and slip at most .5. A skill without rows keeps the start.

    Shapes: (n,) arrays in order of time within learner; codes from 0.
    """
    layout = waves(learner, skill)
    y = correct[layout.order]
    sizes = np.diff(layout.start)
    sequence = np.arange(y.size, dtype=np.int64) - np.repeat(layout.start[:-1], sizes)
    of_row = layout.skill[sequence]
    found = Skills(np.full(skills, 0.4), np.full(skills, 0.15), np.full(skills, 0.2), np.full(skills, 0.1))
    for _ in range(rounds):
        found = _round(found, layout, y, of_row)
    return found


def _round(now: Skills, layout: Waves, y: Floats, of_row: Ints) -> Skills:
    predicted, filtered = _forward(now, layout, y)
    known, following = filtered.copy(), np.zeros_like(filtered)
    has_next = np.zeros(y.size, dtype=bool)
    for t in range(layout.start.size - 3, -1, -1):
        a, b = int(layout.start[t]), int(layout.start[t + 1])
        m = int(layout.start[t + 2]) - b
        known[a : a + m] = known[b : b + m] * filtered[a : a + m] / np.maximum(predicted[b : b + m], TINY)
        following[a : a + m], has_next[a : a + m] = known[b : b + m], True
    skills = now.prior.size

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(of_row, values, minlength=skills), dtype=np.float64)

    first = layout.skill
    unknown = 1.0 - known
    return Skills(
        prior=_ratio(
            np.bincount(first, known[: first.size], minlength=skills), np.bincount(first, minlength=skills), now.prior
        ),
        learn=_ratio(
            total(np.where(has_next, following - known, 0.0)), total(np.where(has_next, unknown, 0.0)), now.learn
        ),
        guess=np.minimum(LARGEST_SLIP, _ratio(total(unknown * y), total(unknown), now.guess)),
        slip=np.minimum(LARGEST_SLIP, _ratio(total(known * (1.0 - y)), total(known), now.slip)),
    )


def _ratio(part: npt.NDArray[np.number], whole: npt.NDArray[np.number], otherwise: Floats) -> Floats:
    some = whole > TINY
    return np.clip(np.where(some, part / np.where(some, whole, 1.0), otherwise), TINY, 1.0 - TINY)


def _forward(skills: Skills, layout: Waves, y: Floats) -> tuple[Floats, Floats]:
    """(chance known before each answer, after it), in the layout's order."""
    predicted, filtered = np.empty_like(y), np.empty_like(y)
    learn, guess, slip = skills.learn[layout.skill], skills.guess[layout.skill], skills.slip[layout.skill]
    know = skills.prior[layout.skill]
    for a, b in zip(layout.start[:-1].tolist(), layout.start[1:].tolist(), strict=True):
        m = b - a
        know = know[:m]
        right = y[a:b] > 0.5
        if_known = know * np.where(right, 1.0 - slip[:m], slip[:m])
        if_unknown = (1.0 - know) * np.where(right, guess[:m], 1.0 - guess[:m])
        after = if_known / (if_known + if_unknown)
        predicted[a:b], filtered[a:b] = know, after
        know = after + (1.0 - after) * learn[:m]
    return predicted, filtered


def predict(skills: Skills, learner: Ints, skill: Ints, correct: Floats) -> Floats:
    """The chance of each answer from before it, in the order of the rows."""
    layout = waves(learner, skill)
    predicted, _ = _forward(skills, layout, correct[layout.order])
    of_row = skill[layout.order]
    chances = np.empty_like(correct)
    chances[layout.order] = predicted * (1.0 - skills.slip[of_row]) + (1.0 - predicted) * skills.guess[of_row]
    return chances
