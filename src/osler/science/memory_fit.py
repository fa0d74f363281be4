"""Which parameters is a learner served with? Own ones where they have earned it, drawn towards the population's.

Sources: shrinkage towards the population, Efron & Morris 1975; acceptance on held-back reviews, Stone 1974. The numbers
of reviews at which either begins are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from osler.science import blend, fsrs, fsrs_fit, fsrs_many, fsrs_rs, sbd, sbd_fit
from osler.science.logits import CLIP
from osler.science.waves import NOTHING_CARRIED, waves_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_REVIEWS = 64
SHRINK_UNTIL = 1000
SHRINK_BY = 300
HELD_BACK = 0.2
REFIT_AT = 1.2

Verdict = Literal["too_few", "refused", "accepted"]


@dataclass(frozen=True, slots=True)
class Carried:
    """The memories that m items bring along: (m,) arrays, of FSRS and of SBD."""

    fsrs: tuple[Floats, Floats] = NOTHING_CARRIED
    sbd: tuple[Floats, Floats] = NOTHING_CARRIED


@dataclass(frozen=True, slots=True)
class History:
    """One learner's reviews in time order, as (n,) arrays.

    `local_days` and `days` are the elapsed times since the item's last review (0 at its first), in local days and in
    days with fractions; `is_first` marks each item's first review.
    Where older reviews are gone, the first m rows are the last ones before the cut, one an item, which were its first
    as far as is known; `carried` are the memories after them. They are not scored.
    """

    item: Ints
    local_days: Floats
    days: Floats
    rating: Ints
    is_first: Mask
    carried: Carried = Carried()

    @property
    def passed(self) -> Mask:
        """Whether each review was passed (Hard or better)."""
        return self.rating >= 2

    @property
    def next_day(self) -> Mask:
        """Reviews at least one local day after the item's last: those that are scored."""
        return ~self.is_first & (self.local_days >= 1.0)

    def until(self, stop: int) -> History:
        """The first `stop` reviews."""
        return History(
            self.item[:stop],
            self.local_days[:stop],
            self.days[:stop],
            self.rating[:stop],
            self.is_first[:stop],
            self.carried,
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """The parameters to serve a learner with, on how many next-day reviews they stand, and what was decided."""

    parameters: blend.Parameters
    n: int
    fsrs: Verdict
    sbd: Verdict


def history_of(
    item: npt.ArrayLike, instant_seconds: Floats, local_day: Ints, rating: Ints, *, carried: Carried = Carried()
) -> History:
    """A history from instants and local day numbers in time order; negative elapsed times are clamped at 0."""
    _, inverse = np.unique(np.asarray(item), return_inverse=True)
    code = inverse.astype(np.int64).ravel()
    by_item = np.argsort(code, kind="stable")
    same = np.concatenate([[False], code[by_item][1:] == code[by_item][:-1]])
    local, exact, fresh = np.zeros(code.size), np.zeros(code.size), np.ones(code.size, dtype=np.bool_)
    local[by_item[1:]] = np.diff(local_day[by_item]) * same[1:]
    exact[by_item[1:]] = np.diff(instant_seconds[by_item]) / 86400.0 * same[1:]
    fresh[by_item] = ~same
    return History(code, np.maximum(local, 0.0), np.maximum(exact, 0.0), rating.astype(np.int64), fresh, carried)


def fit_learner(
    history: History,
    *,
    population: blend.Parameters = blend.POPULATION,
    fitted: blend.Parameters | None = None,
) -> Fit:
    """The parameters a learner is served with, by the rules for each of both models.

    Under 64 next-day reviews the population's. Else fitted on the older 80 %, and taken only where that wins log loss
    on the newest 20 %; then fitted on all and drawn towards the population's: (n w + 300 w_pop)/(n + 300) up to 1,000
    reviews, from there as fitted. Never inside a request.

    `fitted` is the fit to all reviews (`fit_fsrs`, `fit_sbd`), where it has been made already. For a history that goes
    on from kept memories, `population` are the parameters that these were made under.
    Cost: two fits of each model; 10,000 reviews take less than .5 s with fsrs-rs, less than 2 s without.
    Errors: none for short or odd histories: they keep the population's parameters and say so.
    """
    n = int(history.next_day.sum())
    if n < MIN_REVIEWS:
        return Fit(population, n, "too_few", "too_few")
    held = _held_back(history)
    weights, by_fsrs = _fit_fsrs(history, held, n, population.fsrs, fitted.fsrs if fitted else None)
    parameters, by_sbd = _fit_sbd(history, held, n, population.sbd, fitted.sbd if fitted else None)
    return Fit(blend.Parameters(weights, parameters), n, by_fsrs, by_sbd)


def needs_refit(reviews_now: int, reviews_at_fit: int) -> bool:
    """Whether next-day reviews have grown by a fifth since the fit, or reached the first one."""
    return reviews_now >= max(MIN_REVIEWS, REFIT_AT * reviews_at_fit)


def fit_fsrs(history: History, *, population: fsrs.Weights = fsrs.FSRS6) -> fsrs.Weights:
    """FSRS weights fitted to all reviews, not shrunk: by fsrs-rs where installed, else by our own gradient.

    fsrs-rs fits whole histories only, towards its own defaults: where memories are carried on it can't be asked.
    """
    rows = (history.item, history.local_days, history.rating, history.next_day)
    if fsrs_rs.AVAILABLE and population == fsrs.FSRS6 and not history.carried.fsrs[0].size:
        return fsrs_rs.fit(*rows)
    return fsrs_fit.fit(*rows, start=population, carried=history.carried.fsrs)


def fit_sbd(history: History, *, population: sbd.Parameters = sbd.POPULATION) -> sbd.Parameters:
    """SBD parameters fitted to all reviews, same-day ones too, not shrunk."""
    rows = (history.item, history.days, history.rating, ~history.is_first)
    return sbd_fit.fit(*rows, start=population, carried=history.carried.sbd)


def shrunk(fitted: Sequence[float], population: Sequence[float], n: int) -> tuple[float, ...]:
    """(n w_fit + 300 w_pop)/(n + 300) up to 1,000 reviews, w_fit above."""
    if n > SHRINK_UNTIL:
        return tuple(fitted)
    return tuple((n * f + SHRINK_BY * p) / (n + SHRINK_BY) for f, p in zip(fitted, population, strict=True))


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """The older reviews, how many of them are next-day ones, and the rows of the newest 20 %."""

    older: History
    n: int
    newest: Ints


def _held_back(history: History) -> _HeldBack:
    scored = np.flatnonzero(history.next_day)
    newest = scored[int(scored.size * (1.0 - HELD_BACK)) :]
    older = history.until(int(newest[0]))
    return _HeldBack(older, int(older.next_day.sum()), newest)


def _fit_fsrs(
    history: History, held: _HeldBack, n: int, population: fsrs.Weights, fitted: fsrs.Weights | None
) -> tuple[fsrs.Weights, Verdict]:
    trial = fsrs.Weights.clipped(shrunk(fit_fsrs(held.older, population=population).values, population.values, held.n))
    if _fsrs_loss(history, trial, held.newest) >= _fsrs_loss(history, population, held.newest):
        return population, "refused"
    fitted = fitted or fit_fsrs(history, population=population)
    return fsrs.Weights.clipped(shrunk(fitted.values, population.values, n)), "accepted"


def _fit_sbd(
    history: History, held: _HeldBack, n: int, population: sbd.Parameters, fitted: sbd.Parameters | None
) -> tuple[sbd.Parameters, Verdict]:
    trial = sbd.Parameters(*shrunk(fit_sbd(held.older, population=population), population, held.n))
    if _sbd_loss(history, trial, held.newest) >= _sbd_loss(history, population, held.newest):
        return population, "refused"
    fitted = fitted or fit_sbd(history, population=population)
    return sbd.checked(sbd.Parameters(*shrunk(fitted, population, n))), "accepted"


def _fsrs_loss(history: History, weights: fsrs.Weights, rows: Ints) -> float:
    carried = history.carried.fsrs
    folded = fsrs_many.fold(
        waves_of(history.item), history.local_days, history.rating, weights=weights, carried=carried
    )
    return _loss(folded.forecast[rows], history.passed[rows])


def _sbd_loss(history: History, parameters: sbd.Parameters, rows: Ints) -> float:
    carried = history.carried.sbd
    folded = sbd.fold(waves_of(history.item), history.days, history.rating, parameters=parameters, carried=carried)
    return _loss(folded.forecast[rows], history.passed[rows])


def _loss(forecast: Floats, passed: Mask) -> float:
    inside = np.clip(forecast, CLIP, 1.0 - CLIP)
    return -float(np.mean(np.log(np.where(passed, inside, 1.0 - inside))))
