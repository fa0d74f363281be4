# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Which model forecasts an exam, chosen and calibrated on past presentations alone?

Candidates are forecast out of run: each module's presentation by models that saw none of it and none of its learners.
What wins there, and beats the base rate beyond chance, is served, recalibrated on the same forecasts; nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from osler.evaluate.exam_oulad import CATEGORIES, NUMBERS, Floats, Snapshot, Strings
from osler.evaluate.metrics import clip, log_loss, logit
from osler.science.calibration import Calibration, logistic_recalibration
from osler.science.serving_rule import Verdict, compare, enough_outcomes

MAX_FOLDS = 10
RUN_CONSTANTS = frozenset({"module_presentation_length", "due"})
COURSEWORK = NUMBERS.index("submitted")
WORK = [i for i, name in enumerate(NUMBERS) if i >= COURSEWORK and name not in RUN_CONSTANTS]
Forecaster = Callable[[Snapshot], Floats]
Fit = Callable[[Snapshot, int], Forecaster]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How rows become columns: the numbers first, then one column for each value of a category that has one.

    `known` names these values by column of the categories; a value that is not among them is all zeros. `mean` and
    `spread` of the columns are those of the training rows.
    """

    numbers: Callable[[Snapshot], Floats]
    known: Mapping[int, tuple[str, ...]]
    mean: Floats
    spread: Floats

    def raw(self, rows: Snapshot) -> Floats:
        """Unscaled, as trees take it."""
        return _raw(self.numbers, self.known, rows)

    def scaled(self, rows: Snapshot) -> Floats:
        """The same, standardised by the training rows."""
        return (self.raw(rows) - self.mean) / self.spread


def _raw(numbers: Callable[[Snapshot], Floats], known: Mapping[int, tuple[str, ...]], rows: Snapshot) -> Floats:
    hot = [
        (rows.categories[:, i][:, None] == np.array(values, dtype=np.str_)).astype(np.float64)
        for i, values in known.items()
        if values
    ]
    return np.hstack([numbers(rows), *hot])


def _encoding(rows: Snapshot, numbers: Callable[[Snapshot], Floats], known: Mapping[int, tuple[str, ...]]) -> Encoding:
    raw = _raw(numbers, known, rows)
    spread = raw.std(axis=0)
    return Encoding(numbers, known, raw.mean(axis=0), np.where(spread > 0, spread, 1.0))


def standing(rows: Snapshot) -> Floats:
    """The numbers with what was handed in as distance from the run's mean in the run's spreads; run constants dropped.

    What is usual by a day differs between modules (in some nothing is due before day 61), so that raw counts from
    known modules mislead in a new one. The standing needs the run's other learners as of the same day, no outcome.
    """
    numbers = rows.numbers.copy()
    for run in np.unique(rows.run):
        own = rows.run == run
        part = numbers[own][:, WORK]
        spread = part.std(axis=0)
        numbers[np.ix_(own, WORK)] = (part - part.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return numbers[:, [i for i, name in enumerate(NUMBERS) if name not in RUN_CONSTANTS]]


def by_standing(rows: Snapshot) -> Encoding:
    """Standing within the run beside the categories but the module."""
    return _encoding(rows, standing, {i: v for i, v in enumerate(rows.levels) if CATEGORIES[i] != "code_module"})


def as_published(rows: Snapshot) -> Encoding:
    """The encoding of the published baselines: the first value of each category is the reference.

    A module that is not in training has a column of its own there, all zeros: a regression forecasts it as if it were
    the first module, and a forest may draw the column and find nothing in it. Before anything is due, coursework is
    left out.
    """
    started = rows.numbers[:, NUMBERS.index("due")].any()
    return _encoding(
        rows, _all_numbers if started else _at_registration, {i: values[1:] for i, values in enumerate(rows.levels)}
    )


def _all_numbers(rows: Snapshot) -> Floats:
    return rows.numbers


def _at_registration(rows: Snapshot) -> Floats:
    return rows.numbers[:, :COURSEWORK]


def fit_base_rate(rows: Snapshot, _seed: int) -> Forecaster:
    """The share of the training rows, for everybody; one half where there is none."""
    rate = float(rows.at_risk.mean()) if rows.at_risk.size else 0.5
    return lambda new: np.full(new.at_risk.size, rate)


def _logistic(rows: Snapshot, encoding: Encoding) -> Forecaster:
    model = LogisticRegression(C=0.5, max_iter=5000).fit(encoding.scaled(rows), rows.at_risk)
    return lambda new: np.asarray(model.predict_proba(encoding.scaled(new))[:, 1], dtype=np.float64)


def _forest(rows: Snapshot, encoding: Encoding, seed: int) -> Forecaster:
    model = RandomForestClassifier(100, min_samples_leaf=10, random_state=seed)
    model.fit(encoding.raw(rows), rows.at_risk)
    return lambda new: np.asarray(model.predict_proba(encoding.raw(new)), dtype=np.float64)[:, 1]


def fit_logistic(rows: Snapshot, _seed: int) -> Forecaster:
    """L2 logistic regression on dummy-coded, standardised features: the baseline of the published table."""
    return _logistic(rows, as_published(rows))


def fit_forest(rows: Snapshot, seed: int) -> Forecaster:
    """Random forest of 100 trees with leaves of 10 or more: the other baseline."""
    return _forest(rows, as_published(rows), seed)


def fit_standing_logistic(rows: Snapshot, _seed: int) -> Forecaster:
    """The logistic regression on standing within the run, without the module."""
    return _logistic(rows, by_standing(rows))


def fit_standing_forest(rows: Snapshot, seed: int) -> Forecaster:
    """The forest on standing within the run, without the module."""
    return _forest(rows, by_standing(rows), seed)


FITS: Mapping[str, Fit] = {
    "constant": fit_base_rate,
    "logistic": fit_logistic,
    "random_forest": fit_forest,
    "standing_logistic": fit_standing_logistic,
    "standing_forest": fit_standing_forest,
}
BASELINES = ("constant", "logistic", "random_forest")
BLEND = ("standing_logistic", "standing_forest")
CANDIDATES = (*(name for name in FITS if name != "constant"), "standing_blend")


def fitted(name: str, rows: Snapshot, seed: int) -> Forecaster:
    """A model by its name; where all rows came out alike there is nothing to tell them apart by: the base rate."""
    fit = FITS[name] if np.unique(rows.at_risk).size > 1 else fit_base_rate
    return fit(rows, seed)


def with_blend(forecasts: Mapping[str, Floats]) -> dict[str, Floats]:
    """The forecasts and the mean, on the logit scale, of the two that are blended."""
    mean = np.mean([logit(forecasts[name]) for name in BLEND], axis=0)
    return {**forecasts, "standing_blend": 1 / (1 + np.exp(-mean))}


def folds(runs: Strings) -> list[Strings]:
    """The runs in at most ten groups of one or more; held out together."""
    names = np.unique(runs)
    return [np.asarray(part) for part in np.array_split(names, min(MAX_FOLDS, names.size)) if part.size]


def out_of_run(rows: Snapshot, seed: int, step: Callable[[], None]) -> dict[str, Floats]:
    """Every model's forecast of each row by a fit without its run and without its learner; one (n,) array a model.

    With a single run there is none to leave out: then learners are held out in five groups by their order.
    """
    groups = folds(rows.run)
    held = [np.isin(rows.run, group) for group in groups]
    if len(held) < 2:
        _, code = np.unique(rows.learner, return_inverse=True)
        held = [code % 5 == part for part in range(5)]
    found = {name: np.zeros(rows.at_risk.size) for name in FITS}
    for mask in held:
        training = rows.rows(~mask & ~np.isin(rows.learner, rows.learner[mask]))
        for name in FITS:
            found[name][mask] = fitted(name, training, seed)(rows.rows(mask))
        step()
    return with_blend(found)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is served for one day: its name ("constant" is the refusal), recalibration, and the evidence by candidate.

    `losses` are out-of-run log losses of the training presentations; `verdicts` the Brier difference to the base rate.
    """

    name: str
    calibration: Calibration
    losses: Mapping[str, float]
    verdicts: Mapping[str, Verdict]

    @property
    def refused(self) -> list[str]:
        """The candidates that did not beat the base rate beyond chance."""
        return [name for name, verdict in self.verdicts.items() if not verdict.ahead]


def choose(rows: Snapshot, forecasts: Mapping[str, Floats], seed: int) -> Choice:
    """The candidate of the least out-of-run log loss among those that beat the base rate, recalibrated."""
    y = rows.at_risk
    losses = {name: log_loss(y, p) for name, p in forecasts.items()}
    none = Choice("constant", Calibration("uncalibrated", y.size), losses, {})
    if not enough_outcomes(y):
        return none
    base = (forecasts["constant"] - y) ** 2
    verdicts = {name: compare((forecasts[name] - y) ** 2, base, rows.learner, seed=seed) for name in CANDIDATES}
    allowed = [name for name in CANDIDATES if verdicts[name].ahead]
    if not allowed:
        return Choice("constant", none.calibration, losses, verdicts)
    best = min(allowed, key=lambda name: losses[name])
    return Choice(best, logistic_recalibration(clip(forecasts[best]), y), losses, verdicts)


def forecast_all(training: Snapshot, test: Snapshot, choice: Choice, seed: int) -> dict[str, Floats]:
    """Forecasts of the test rows: the baselines as fitted, and `osler`, what would be served."""
    found = with_blend({name: fitted(name, training, seed)(test) for name in FITS})
    served = choice.calibration.apply(clip(found[choice.name]))
    return {"osler": served, **{name: found[name] for name in BASELINES}}
