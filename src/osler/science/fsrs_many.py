"""FSRS-6 for many items at once: the same values as `osler.science.fsrs`, a hundred times as fast as one by one.

Source: that of `osler.science.fsrs`, FSRS-6 in py-fsrs 6.3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.fsrs import FSRS6, INTERVAL_MAX, STABILITY_MAX, STABILITY_MIN, Weights
from osler.science.waves import NOTHING_CARRIED, Waves, carry

Floats = npt.NDArray[np.float64]
Ratings = npt.NDArray[np.int64]

BLOCK = 8192  # 64 KB for each buffer: the working set of a block stays in the second-level cache


def first_many(rating: Ratings, *, weights: Weights = FSRS6) -> tuple[Floats, Floats]:
    """(stability, difficulty) after first reviews. Errors: InvalidModelInput for a rating outside 1..4."""
    check_ratings(rating)
    w = weights.values
    stability = np.maximum(np.array(w[:4]), STABILITY_MIN)
    difficulty = np.clip(w[4] - np.exp(w[5] * np.arange(4.0)) + 1.0, 1.0, 10.0)
    return stability[rating - 1], difficulty[rating - 1]


def retrievability_many(stability: Floats, elapsed_days: Floats, *, weights: Weights = FSRS6) -> Floats:
    """R of each item, `elapsed_days` after its last review. Shapes: (n,) arrays."""
    recall = np.divide(elapsed_days, stability)
    recall *= weights.factor
    recall += 1.0
    return np.power(recall, -weights.values[20], out=recall)


def interval_many(
    stability: Floats,
    desired_retention: float = 0.9,
    *,
    weights: Weights = FSRS6,
    cap_days: int = INTERVAL_MAX,
) -> npt.NDArray[np.int64]:
    """Whole days until each R falls to the desired retention (rounded half to even, 1 to `cap_days`)."""
    if not 0.0 < desired_retention < 1.0:
        raise InvalidModelInput(f"Desired retention must lie between 0 and 1, not {desired_retention}.")
    growth = desired_retention ** (-1.0 / weights.values[20]) - 1.0
    return np.clip(np.rint(stability / weights.factor * growth), 1, cap_days).astype(np.int64)


def step_many(
    stability: Floats, difficulty: Floats, elapsed_days: Floats, rating: Ratings, *, weights: Weights = FSRS6
) -> tuple[Floats, Floats]:
    """(stability, difficulty) after one more review of each item.

    Shapes: four (n,) arrays, contiguous; gives two new ones. A row's result does not depend on the rows beside it.
    Units: as `fsrs.step`. Errors: InvalidModelInput for a rating outside 1..4 or a negative time.
    """
    new_s, new_d = np.empty_like(stability), np.empty_like(difficulty)
    _step((stability, difficulty, elapsed_days, rating), (new_s, new_d), _Tables(weights))
    return new_s, new_d


def _step(
    before: tuple[Floats, Floats, Floats, Ratings],
    after: tuple[Floats, Floats],
    tables: _Tables,
    recall: Floats | None = None,
) -> None:
    """`step_many` into arrays that are there, R just before each review into `recall` where it is given."""
    stability, difficulty, elapsed_days, rating = before
    check_ratings(rating)
    if elapsed_days.size and elapsed_days.min() < 0:
        raise InvalidModelInput("Elapsed days must not be negative.")
    room = np.empty((3, min(BLOCK, stability.size)))
    for start in range(0, stability.size, BLOCK):
        rows = slice(start, min(start + BLOCK, stability.size))
        block = (stability[rows], difficulty[rows], elapsed_days[rows], rating[rows])
        wanted = None if recall is None else recall[rows]
        _step_block(block, (after[0][rows], after[1][rows]), tables, room, wanted)


def check_ratings(rating: Ratings) -> None:
    """Errors: InvalidModelInput where a rating is none of 1, 2, 3, 4."""
    if rating.size and not (rating.min() >= 1 and rating.max() <= 4):
        raise InvalidModelInput("A rating is 1, 2, 3 or 4.")


class _Tables:
    """What depends on the weights and the rating alone, by rating (index 0 is unused)."""

    def __init__(self, weights: Weights) -> None:
        w = weights.values
        self.w, self.factor = w, weights.factor
        # Difficulty is linear in the old one for each rating: D' = shift + slope D, then clipped.
        pull = w[6] * (np.arange(5.0) - 3.0) / 9.0
        self.difficulty_slope = (1.0 - w[7]) * (1.0 + pull)
        self.difficulty_shift = w[7] * weights.easy_difficulty - (1.0 - w[7]) * 10.0 * pull
        self.gain = math.exp(w[8]) * np.array([0.0, 1.0, w[15], 1.0, w[16]])
        self.same_day = np.exp(w[17] * (np.arange(5.0) - 3.0 + w[18]))
        self.same_day_floor = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
        self.lapse_ceiling = math.exp(-w[17] * w[18])


def _step_block(
    before: tuple[Floats, Floats, Floats, Ratings],
    after: tuple[Floats, Floats],
    tables: _Tables,
    room: Floats,
    recall: Floats | None,
) -> None:
    """One block in place. Every row takes the pass branch, the few of the other two are then written over."""
    w, (s, d, t, g), (new_s, new_d) = tables.w, before, after
    forgotten, factor, spare = room[:, : s.size]
    np.divide(t, s, out=forgotten)
    forgotten *= tables.factor
    forgotten += 1.0
    np.power(forgotten, -w[20], out=forgotten)
    if recall is not None:
        recall[:] = forgotten
    np.subtract(1.0, forgotten, out=forgotten)
    np.multiply(forgotten, w[10], out=new_s)
    np.expm1(new_s, out=new_s)
    np.power(s, 1.0 - w[9], out=spare)
    new_s *= spare
    np.subtract(11.0, d, out=spare)
    new_s *= spare
    new_s *= np.take(tables.gain, g, out=factor, mode="clip")
    new_s += s
    lapsed = np.flatnonzero(g == 1)
    if lapsed.size:
        new_s[lapsed] = _lapsed(s[lapsed], d[lapsed], forgotten[lapsed], tables)
    same_day = np.flatnonzero(t < 1.0)
    if same_day.size:
        growth = tables.same_day[g[same_day]] * np.power(s[same_day], -w[19])
        new_s[same_day] = s[same_day] * np.maximum(growth, tables.same_day_floor[g[same_day]])
    np.clip(new_s, STABILITY_MIN, STABILITY_MAX, out=new_s)
    np.multiply(d, np.take(tables.difficulty_slope, g, out=factor, mode="clip"), out=new_d)
    new_d += np.take(tables.difficulty_shift, g, out=factor, mode="clip")
    np.clip(new_d, 1.0, 10.0, out=new_d)


def _lapsed(s: Floats, d: Floats, forgotten: Floats, tables: _Tables) -> Floats:
    w = tables.w
    long_term = np.power(d, -w[12])
    long_term *= np.power(s + 1.0, w[13]) - 1.0
    long_term *= np.exp(w[14] * forgotten)
    long_term *= w[11]
    return np.minimum(long_term, s * tables.lapse_ceiling)


@dataclass(frozen=True, slots=True)
class Folded:
    """Every row of a fold: R just before it (NaN at an item's first review), the memory after it.

    R is 1 on the day of the last review: a forecast for such a row comes from SBD (see `blend`).
    """

    forecast: Floats
    stability: Floats
    difficulty: Floats


def fold(
    waves: Waves,
    elapsed_days: Floats,
    rating: Ratings,
    *,
    weights: Weights = FSRS6,
    carried: tuple[Floats, Floats] = NOTHING_CARRIED,
) -> Folded:
    """All rows of many items, wave by wave; the same values as `first` and `step` one by one.

    Shapes: (n,) arrays in fold order; `elapsed_days` of an item's first review is not read. `carried` are
    (stability, difficulty) after the first m rows, where these stand for a history that is gone: see `waves.carry`.
    """
    back = np.empty((3, waves.order.size))
    tables = _Tables(weights)
    # Two states and the forecasts of one wave: small enough to stay in the cache, whatever the length of the fold.
    s, d, then_s, then_d, recall = np.empty((5, waves.items))
    for number, rows in enumerate(waves):
        where, size = waves.order[rows], rows.stop - rows.start
        g = rating[where]
        if number == 0:
            s, d = first_many(g, weights=weights)
            carry(waves, carried, (s, d))
            recall.fill(np.nan)
        else:
            before = (s[:size], d[:size], elapsed_days[where], g)
            _step(before, (then_s[:size], then_d[:size]), tables, recall[:size])
            s, d, then_s, then_d = then_s, then_d, s, d
        for column, values in zip(back, (recall, s, d), strict=True):
            column[where] = values[:size]
    return Folded(forecast=back[0], stability=back[1], difficulty=back[2])
